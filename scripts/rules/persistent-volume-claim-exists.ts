import { someDeclarations } from '#rule/conventions.ts'
import { existsRule } from '#rule/exists-rule.ts'

export default existsRule({
  id: 'persistent-volume-claim-exists',
  category: 'references',
  severity: 'error',
  summary: 'Every PersistentVolumeClaim that a pod mounts exists in its namespace.',
  why: 'A pod whose claim is missing stays Pending.',
  fix: 'Render the PersistentVolumeClaim, set claimName to an existing one (a StatefulSet creates template-name-0 and so on, one per replica), or declare it in check.yaml.',
  needs: someDeclarations,
  kinds: ['PersistentVolumeClaim'],
})
