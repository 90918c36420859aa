import { someDeclarations } from '#rule/conventions.ts'
import { existsRule } from '#rule/exists-rule.ts'

export default existsRule({
  id: 'role-exists',
  category: 'references',
  severity: 'error',
  summary: 'Every Role and ClusterRole that a binding names exists.',
  why: 'A binding to a missing role grants nothing; the program gets 403 Forbidden at run time.',
  fix: 'Render the role, name one that exists, or declare the ClusterRole in check.yaml if the platform installs it.',
  needs: someDeclarations,
  kinds: ['Role', 'ClusterRole'],
})
