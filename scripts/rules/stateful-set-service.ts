import { at } from '#kubernetes/model/objects.ts'
import { selectsByMap } from '#kubernetes/model/selectors.ts'
import { referencesTo } from '#kubernetes/references/references.ts'
import { unresolved } from '#kubernetes/references/resolve.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'stateful-set-service',
  formerIds: ['statefulset-service'],
  category: 'networking',
  severity: 'error',
  summary: 'The serviceName of a StatefulSet is a headless Service that selects its pods.',
  why: 'The DNS names of the pods (web-0.web-nodes) come from this Service: without it, or with one that is not headless or selects other pods, they do not resolve.',
  fix: 'Render a Service with clusterIP: None and the labels of the pod template as its selector, and name it in serviceName.',
  check(environment, report) {
    for (const { reference, path, message } of unresolved(environment, 'Service'))
      if (reference.source.kind === 'StatefulSet') report(reference.source, path, message)
    for (const { source, path, namespace, name } of referencesTo(environment, 'Service')) {
      const workload = environment.findWorkload('StatefulSet', namespace, source.name)
      const service = environment.find('Service', namespace, name)
      if (source.kind !== 'StatefulSet' || workload === undefined || service === undefined) continue
      const clusterIP = at(service.raw, 'spec', 'clusterIP')
      if (clusterIP !== 'None')
        report(
          source,
          path,
          `Service "${name}" is not headless; expected clusterIP: None, so that each pod has a DNS name`,
        )
      else if (!selectsByMap(at(service.raw, 'spec', 'selector'), workload.labels))
        report(source, path, `Service "${name}" does not select the pods of this StatefulSet`)
    }
  },
})
