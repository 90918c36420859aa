import { push } from '#kubernetes/model/collections.ts'
import { isNamespaced } from '#kubernetes/model/kinds.ts'
import { type KubeObject, nameOf } from '#kubernetes/model/objects.ts'
import { declarations } from '#rule/conventions.ts'
import { defineRule } from '#rule/define-rule.ts'

/** The namespaces that every cluster has. */
const builtIn = ['default', 'kube-node-lease', 'kube-public', 'kube-system']

export default defineRule({
  id: 'namespace-declared',
  severity: 'error',
  summary: 'Every namespaced object names its namespace, and something makes that namespace.',
  why: 'Without a name the object lands wherever the client happens to point; in a namespace that does not exist nothing can be made.',
  fix: 'Set `namespace` in the kustomization, and render the Namespace or declare it in check.yaml.',
  needs: declarations,
  check(environment, report) {
    const homeless = new Map<string, KubeObject[]>()
    for (const object of environment.objects) {
      const { namespace } = object
      if (namespace === '') {
        if (isNamespaced(object)) report(object, ['metadata'], `the ${object.kind} has no namespace`)
        continue
      }
      if (builtIn.includes(namespace) || environment.find('Namespace', '', namespace) !== undefined) continue
      if (environment.provided('Namespace', namespace) !== undefined) continue
      push(homeless, namespace, object)
    }
    // One cause, one finding.
    for (const [namespace, [first, ...others]] of homeless) {
      if (first === undefined) continue
      const more =
        others.length === 0 ? '' : ` (nor for ${others.length} more, as ${others.slice(0, 3).map(nameOf).join(', ')})`
      const message = `the namespace "${namespace}" is neither rendered nor declared in check.yaml${more}`
      report(first, ['metadata', 'namespace'], message)
    }
  },
})
