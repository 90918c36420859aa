import { someDeclarations } from '../lib/conventions.ts'
import { existsRule } from '../lib/exists-rule.ts'

export default existsRule({
  id: 'secret-exists',
  severity: 'error',
  summary:
    'Every Secret that is named is rendered, made by a rendered object (ExternalSecret, Certificate, SealedSecret …) or declared in check.yaml, with the keys that are named.',
  why: 'A pod that needs a missing Secret or key stays in CreateContainerConfigError or ContainerCreating; a Gateway, an Ingress or a trigger that needs it does not serve.',
  fix: 'Write the name (name, secretName) of an existing Secret and one of its keys (key), or declare it in check.yaml if something else makes it.',
  needs: someDeclarations,
  kinds: ['Secret'],
})
