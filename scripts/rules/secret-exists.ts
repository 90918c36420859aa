import { someDeclarations } from '#rule/conventions.ts'
import { existsRule } from '#rule/exists-rule.ts'

export default existsRule({
  id: 'secret-exists',
  category: 'references',
  severity: 'error',
  summary:
    'Every Secret that is referenced is rendered, created by a rendered object (ExternalSecret, Certificate, SealedSecret …) or declared in check.yaml, with the keys that are referenced.',
  why: 'A pod that needs a missing Secret or key stays in CreateContainerConfigError or ContainerCreating; a Gateway, an Ingress or a trigger that needs it does not work.',
  fix: 'Write the name (name, secretName) of an existing Secret and one of its keys (key), or declare it in check.yaml if something else creates it.',
  needs: someDeclarations,
  kinds: ['Secret'],
})
