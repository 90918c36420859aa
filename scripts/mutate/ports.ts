import { at, items } from '#kubernetes/model/objects.ts'
import { probeKinds } from '#kubernetes/workloads/probes.ts'
import { broken, type MutationClass, refused, remove, set } from './mutation.ts'
import { containers, each } from './places.ts'

export const ports: readonly MutationClass[] = [
  broken(
    'target-port-name',
    'No container has a port with this name: the endpoints of the Service lack it.',
    function* (environment) {
      for (const service of environment.ofKind('Service', ''))
        for (const { path } of each(service.raw, 'spec', 'ports')) yield set(service, [...path, 'targetPort'], 'web')
    },
  ),
  broken('target-port-number', 'Nothing listens on the port: connections are refused.', function* (environment) {
    for (const service of environment.ofKind('Service', ''))
      for (const { path } of each(service.raw, 'spec', 'ports')) yield set(service, [...path, 'targetPort'], 8888)
  }),
  broken('service-port-protocol', 'The Service forwards UDP, its pods speak TCP.', function* (environment) {
    for (const service of environment.ofKind('Service', ''))
      for (const { path } of each(service.raw, 'spec', 'ports')) yield set(service, [...path, 'protocol'], 'UDP')
  }),
  broken(
    'service-port-moved',
    'Clients still connect to the configured port, where nothing listens any longer.',
    function* (environment) {
      // A headless Service translates no ports: its own port number has no effect.
      for (const service of environment.ofKind('Service', ''))
        if (at(service.raw, 'spec', 'clusterIP') !== 'None')
          // The broker's metrics are scraped from its pods, not through its Service.
          for (const { path, value } of each(service.raw, 'spec', 'ports'))
            if (at(value, 'name') !== 'prometheus') yield set(service, [...path, 'port'], 8888)
    },
  ),
  refused('service-port-unnamed', 'With several ports, each needs a name.', function* (environment) {
    for (const service of environment.ofKind('Service', '')) {
      const list = items(at(service.raw, 'spec', 'ports'))
      if (list.length > 1) yield remove(service, ['spec', 'ports', 0, 'name'])
    }
  }),
  refused('service-port-twice', 'Two ports of a Service must not have the same name.', function* (environment) {
    for (const service of environment.ofKind('Service', '')) {
      const list = items(at(service.raw, 'spec', 'ports'))
      if (list.length > 1) yield set(service, ['spec', 'ports', 1, 'name'], at(list[0], 'name'))
    }
  }),
  broken(
    'container-port-renamed',
    'Services, probes and monitors still refer to the old name.',
    function* (environment) {
      for (const { object, container, path } of containers(environment))
        for (const [index] of container.ports.entries()) {
          // Members of a headless Service are addressed by port number only.
          const name = container.ports[index]?.name
          if (name !== 'epmd' && name !== 'distribution')
            yield set(object, [...path, 'ports', index, 'name'], 'renamed')
        }
    },
  ),
  broken(
    'container-port-moved',
    'The named port is a number on which the program does not listen.',
    function* (environment) {
      for (const { object, container, path } of containers(environment))
        for (const [index] of container.ports.entries())
          yield set(object, [...path, 'ports', index, 'containerPort'], 8888)
    },
  ),
  refused('container-port-range', 'A port number is at most 65535.', function* (environment) {
    for (const { object, container, path } of containers(environment))
      if (container.ports.length > 0) yield set(object, [...path, 'ports', 0, 'containerPort'], 80800)
  }),
  broken(
    'probe-port',
    'The probe uses a port where nothing listens: never ready, or restarted forever.',
    function* (environment) {
      for (const { object, container, path } of containers(environment))
        for (const kind of probeKinds)
          for (const action of ['httpGet', 'tcpSocket'])
            if (at(container.raw, kind, action, 'port') !== undefined)
              yield set(object, [...path, kind, action, 'port'], 8888)
    },
  ),
  broken(
    'headless-lost',
    'The pods of the StatefulSet lose the DNS names by which peers and clients find them.',
    function* (environment) {
      for (const service of environment.ofKind('Service', ''))
        if (at(service.raw, 'spec', 'clusterIP') === 'None') yield remove(service, ['spec', 'clusterIP'])
    },
  ),
  broken(
    'unready-unpublished',
    'A pod that becomes ready only once others have reached it is never published, so it never becomes ready.',
    function* (environment) {
      // Only where clients address members by name; no client of the stores does.
      for (const name of ['rabbitmq-nodes', 'ollama-nodes'])
        for (const service of environment.ofKind('Service', ''))
          if (service.name === name && service.raw.spec && at(service.raw, 'spec', 'publishNotReadyAddresses') === true)
            yield remove(service, ['spec', 'publishNotReadyAddresses'])
    },
  ),
  broken('service-name', 'The pods of the StatefulSet have no DNS names.', function* (environment) {
    for (const set_ of environment.ofKind('StatefulSet'))
      yield set(set_, ['spec', 'serviceName'], `${set_.name}-headless`)
  }),
]
