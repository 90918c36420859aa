import { at, items } from '#kubernetes/model/objects.ts'
import { broken, type MutationClass, refused, remove, rewrite, set } from './mutation.ts'
import { each } from './places.ts'

const typo = (name: string) => `${name}x`

export const exposure: readonly MutationClass[] = [
  broken('route-parent', 'The route has no Gateway: no request arrives.', function* (environment) {
    for (const route of environment.ofKind('HTTPRoute')) yield* rewrite(route, ['spec', 'parentRefs', 0, 'name'], typo)
  }),
  broken('route-section', 'The Gateway has no such listener.', function* (environment) {
    for (const route of environment.ofKind('HTTPRoute'))
      yield* rewrite(route, ['spec', 'parentRefs', 0, 'sectionName'], typo)
  }),
  broken('route-backend', 'The Gateway answers 500: there is no such Service.', function* (environment) {
    for (const route of environment.ofKind('HTTPRoute'))
      for (const { path } of each(route.raw, 'spec', 'rules'))
        yield* rewrite(route, [...path, 'backendRefs', 0, 'name'], typo)
  }),
  broken('route-backend-port', 'The Gateway answers 500: the Service has no such port.', function* (environment) {
    for (const route of environment.ofKind('HTTPRoute'))
      for (const { path, value } of each(route.raw, 'spec', 'rules'))
        if (items(at(value, 'backendRefs')).length > 0) yield set(route, [...path, 'backendRefs', 0, 'port'], 8888)
  }),
  broken('route-without-backend', 'The Gateway answers 404 or 500 to everything.', function* (environment) {
    for (const route of environment.ofKind('HTTPRoute'))
      for (const { path, value } of each(route.raw, 'spec', 'rules'))
        if (items(at(value, 'backendRefs')).length > 0) yield remove(route, [...path, 'backendRefs'])
  }),
  broken('route-hostname', 'The route is for a hostname that the listener does not serve.', function* (environment) {
    for (const route of environment.ofKind('HTTPRoute')) yield set(route, ['spec', 'hostnames'], ['other.example.org'])
  }),
  refused('route-redirect-and-backend', 'A rule either redirects or has backends.', function* (environment) {
    for (const route of environment.ofKind('HTTPRoute'))
      for (const { path, value } of each(route.raw, 'spec', 'rules'))
        if (at(value, 'filters') !== undefined)
          yield set(route, [...path, 'backendRefs'], [{ name: 'gateway', port: 80 }])
  }),
  refused('route-path', 'A path must begin with a slash.', function* (environment) {
    for (const route of environment.ofKind('HTTPRoute'))
      for (const { path, value } of each(route.raw, 'spec', 'rules'))
        if (at(value, 'matches', 0, 'path') !== undefined)
          yield set(route, [...path, 'matches', 0, 'path', 'value'], 'api')
  }),
  broken('gateway-class', 'No controller handles the Gateway: it gets no address.', function* (environment) {
    for (const gateway of environment.ofKind('Gateway')) yield* rewrite(gateway, ['spec', 'gatewayClassName'], typo)
  }),
  broken('gateway-certificate', 'The listener has no certificate: TLS fails.', function* (environment) {
    for (const gateway of environment.ofKind('Gateway'))
      for (const { path } of each(gateway.raw, 'spec', 'listeners'))
        yield* rewrite(gateway, [...path, 'tls', 'certificateRefs', 0, 'name'], typo)
  }),
  refused(
    'gateway-without-certificate',
    'An HTTPS listener without a certificate is not programmed.',
    function* (environment) {
      for (const gateway of environment.ofKind('Gateway'))
        for (const { path, value } of each(gateway.raw, 'spec', 'listeners'))
          if (at(value, 'tls', 'certificateRefs') !== undefined)
            yield set(gateway, [...path, 'tls', 'certificateRefs'], [])
    },
  ),
  refused('gateway-tls-on-http', 'An HTTP listener must not have tls.', function* (environment) {
    for (const gateway of environment.ofKind('Gateway'))
      for (const { path, value } of each(gateway.raw, 'spec', 'listeners'))
        if (at(value, 'protocol') === 'HTTP')
          yield set(gateway, [...path, 'tls'], { mode: 'Terminate', certificateRefs: [{ name: 'gateway-tls' }] })
  }),
  refused(
    'gateway-listener-twice',
    'Two listeners with the same port, protocol and hostname conflict.',
    function* (environment) {
      for (const gateway of environment.ofKind('Gateway')) {
        const listeners = items(at(gateway.raw, 'spec', 'listeners'))
        if (listeners.length > 0)
          yield set(gateway, ['spec', 'listeners', listeners.length], { ...(listeners[0] as object), name: 'again' })
      }
    },
  ),
  refused('gateway-closed', 'The listener allows no route to attach.', function* (environment) {
    for (const gateway of environment.ofKind('Gateway'))
      for (const { path } of each(gateway.raw, 'spec', 'listeners'))
        yield set(gateway, [...path, 'allowedRoutes', 'namespaces', 'from'], 'None')
  }),
  refused('service-type', 'There is no such type.', function* (environment) {
    for (const service of environment.ofKind('Service', '')) yield set(service, ['spec', 'type'], 'Public')
  }),
  refused(
    'service-on-nodes',
    'The Service opens a port on every node, which the quota forbids.',
    function* (environment) {
      for (const service of environment.ofKind('Service', ''))
        if (at(service.raw, 'spec', 'clusterIP') !== 'None') yield set(service, ['spec', 'type'], 'NodePort')
    },
  ),
]
