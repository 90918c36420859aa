import { unresolved } from '#kubernetes/references/resolve.ts'
import { someDeclarations } from '#rule/conventions.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'secret-exists',
  severity: 'error',
  summary:
    'Every Secret that is named is rendered, made by a rendered object (ExternalSecret, Certificate, SealedSecret …) or declared in check.yaml, with the keys that are named.',
  why: 'A pod that needs a missing Secret or key stays in CreateContainerConfigError or ContainerCreating; a Gateway, an Ingress or a trigger that needs it does not serve.',
  fix: 'Write the name (name, secretName) of an existing Secret and one of its keys (key), or declare it in check.yaml if something else makes it.',
  needs: someDeclarations,
  check(environment, report) {
    for (const kind of ['Secret'])
      for (const { reference, path, message } of unresolved(environment, kind)) report(reference.source, path, message)
  },
})
