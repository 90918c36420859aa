import { unresolved } from '#kubernetes/references/resolve.ts'
import { someDeclarations } from '#rule/conventions.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'role-exists',
  severity: 'error',
  summary: 'Every Role and ClusterRole that a binding names exists.',
  why: 'A binding to a missing role grants nothing; the program meets 403 Forbidden at run time.',
  fix: 'Render the role, name one that exists, or declare the ClusterRole in check.yaml if the platform installs it.',
  needs: someDeclarations,
  check(environment, report) {
    for (const kind of ['Role', 'ClusterRole'])
      for (const { reference, path, message } of unresolved(environment, kind)) report(reference.source, path, message)
  },
})
