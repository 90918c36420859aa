import { at, items, text } from '#kubernetes/model/objects.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'service-ports',
  category: 'networking',
  severity: 'error',
  summary:
    'A Service with several ports names each of them uniquely, and a Service without a selector has endpoints from another source.',
  why: 'Otherwise the API server rejects the Service; nothing fills in the endpoints of a Service that selects nothing, so every connection is refused.',
  fix: 'Name every port, or give the Service a selector or an EndpointSlice.',
  check(environment, report) {
    for (const service of environment.ofKind('Service', '')) {
      const ports = items(at(service.raw, 'spec', 'ports'))
      const seen = new Set<string>()
      for (const [index, port] of ports.entries()) {
        const name = text(at(port, 'name'))
        if (ports.length > 1 && !name)
          report(
            service,
            ['spec', 'ports', index],
            'the port has no name; expected one, since the Service has several ports',
          )
        if (name && seen.has(name))
          report(service, ['spec', 'ports', index, 'name'], `two ports are named "${name}"; expected unique names`)
        if (name) seen.add(name)
      }
      if (
        Object.keys((at(service.raw, 'spec', 'selector') as object | null | undefined) ?? {}).length > 0 ||
        at(service.raw, 'spec', 'type') === 'ExternalName'
      )
        continue
      const slices = environment
        .ofKind('EndpointSlice')
        .some(
          ({ labels, namespace }) =>
            namespace === service.namespace && labels['kubernetes.io/service-name'] === service.name,
        )
      const endpoints = environment.find('Endpoints', service.namespace, service.name)
      if (!slices && endpoints === undefined && environment.provided('EndpointSlice', service.name) === undefined)
        report(
          service,
          ['spec'],
          'the Service selects no pods, and no EndpointSlice is rendered for it, so it has no endpoints',
          'Give it a selector, render an EndpointSlice, or declare the EndpointSlice in check.yaml.',
        )
    }
  },
})
