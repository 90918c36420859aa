import { someDeclarations } from '../lib/conventions.ts'
import { existsRule } from '../lib/exists-rule.ts'

export default existsRule({
  id: 'secret-store-exists',
  severity: 'error',
  summary: 'Every secret store that an ExternalSecret names exists.',
  why: 'Without its store an ExternalSecret fetches nothing, and the pods that wait for its Secret do not start.',
  fix: 'Name a rendered SecretStore, or declare the ClusterSecretStore of the platform in check.yaml.',
  needs: someDeclarations,
  kinds: ['SecretStore', 'ClusterSecretStore'],
})
