import { unresolved } from '#kubernetes/references/resolve.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'configmap-exists',
  severity: 'error',
  summary: 'Every ConfigMap that is named exists in the same namespace and has the keys that are named.',
  why: 'A pod that needs a missing ConfigMap or key stays in CreateContainerConfigError or ContainerCreating; it never starts and never fails.',
  fix: 'Name a rendered ConfigMap and one of its keys, generate it, or declare it in check.yaml if something else makes it.',
  check(environment, report) {
    for (const kind of ['ConfigMap'])
      for (const { reference, path, message } of unresolved(environment, kind)) report(reference.source, path, message)
  },
})
