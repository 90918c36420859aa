import { existsRule } from '#rule/exists-rule.ts'

export default existsRule({
  id: 'config-map-exists',
  formerIds: ['configmap-exists'],
  category: 'references',
  severity: 'error',
  summary: 'Every ConfigMap that is referenced exists in the same namespace and has the keys that are referenced.',
  why: 'A pod that needs a missing ConfigMap or key stays in CreateContainerConfigError or ContainerCreating; it never starts and never fails.',
  fix: 'Name a rendered ConfigMap and one of its keys, generate it, or declare it in check.yaml if something else creates it.',
  kinds: ['ConfigMap'],
})
