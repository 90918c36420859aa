import { push } from '#kubernetes/model/collections.ts'
import { isNamespaced } from '#kubernetes/model/kinds.ts'
import { type KubeObject, nameOf } from '#kubernetes/model/objects.ts'
import { declarations } from '#rule/conventions.ts'
import { defineRule } from '#rule/define-rule.ts'

/** The namespaces that every cluster has. */
const builtIn = ['default', 'kube-node-lease', 'kube-public', 'kube-system']

export default defineRule({
  id: 'namespace-declared',
  category: 'references',
  severity: 'error',
  summary: 'Every namespaced object sets its namespace, and that namespace is rendered or declared.',
  why: "Without a namespace the object is created in the client's current one; in a namespace that does not exist nothing can be created.",
  fix: 'Set `namespace` in the kustomization, and render the Namespace or declare it in check.yaml.',
  needs: declarations,
  check(environment, report) {
    const withoutNamespace = new Map<string, KubeObject[]>()
    for (const object of environment.objects) {
      const { namespace } = object
      if (namespace === '') {
        if (isNamespaced(object)) report(object, ['metadata'], `the ${object.kind} has no namespace`)
        continue
      }
      if (builtIn.includes(namespace) || environment.find('Namespace', '', namespace) !== undefined) continue
      if (environment.provided('Namespace', namespace) !== undefined) continue
      push(withoutNamespace, namespace, object)
    }
    // One finding per namespace, however many objects it has.
    for (const [namespace, [first, ...others]] of withoutNamespace) {
      if (first === undefined) continue
      const more =
        others.length === 0
          ? ''
          : ` (${others.length} more objects are in it, such as ${others.slice(0, 3).map(nameOf).join(', ')})`
      const message = `the namespace "${namespace}" is neither rendered nor declared in check.yaml${more}`
      report(first, ['metadata', 'namespace'], message)
    }
  },
})
