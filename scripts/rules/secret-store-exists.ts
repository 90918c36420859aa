import { someDeclarations } from '#rule/conventions.ts'
import { existsRule } from '#rule/exists-rule.ts'

export default existsRule({
  id: 'secret-store-exists',
  category: 'references',
  severity: 'error',
  summary: 'Every SecretStore or ClusterSecretStore that an ExternalSecret names exists.',
  why: 'Without its store an ExternalSecret fetches nothing, and pods that wait for its Secret do not start.',
  fix: 'Name a rendered SecretStore, or declare the ClusterSecretStore of the platform in check.yaml.',
  needs: someDeclarations,
  kinds: ['SecretStore', 'ClusterSecretStore'],
})
