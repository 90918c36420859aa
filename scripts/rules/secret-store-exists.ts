import { unresolved } from '#kubernetes/references/resolve.ts'
import { someDeclarations } from '#rule/conventions.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'secret-store-exists',
  severity: 'error',
  summary: 'Every secret store that an ExternalSecret names exists.',
  why: 'Without its store an ExternalSecret fetches nothing, and the pods that wait for its Secret do not start.',
  fix: 'Name a rendered SecretStore, or declare the ClusterSecretStore of the platform in check.yaml.',
  needs: someDeclarations,
  check(environment, report) {
    for (const kind of ['SecretStore', 'ClusterSecretStore'])
      for (const { reference, path, message } of unresolved(environment, kind)) report(reference.source, path, message)
  },
})
