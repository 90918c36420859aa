import { unresolved } from '#kubernetes/references/resolve.ts'
import { someDeclarations } from '#rule/conventions.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'persistent-volume-claim-exists',
  severity: 'error',
  summary: 'Every PersistentVolumeClaim that a pod mounts exists in its namespace.',
  why: 'A pod whose claim is missing stays Pending.',
  fix: 'Render the PersistentVolumeClaim, set claimName to one that is there (a StatefulSet makes template-name-0 and so on, one a replica), or declare it in check.yaml.',
  needs: someDeclarations,
  check(environment, report) {
    for (const kind of ['PersistentVolumeClaim'])
      for (const { reference, path, message } of unresolved(environment, kind)) report(reference.source, path, message)
  },
})
