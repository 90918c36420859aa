import type { Environment } from '#kubernetes/model/environment.ts'
import { at, items, type KubeObject, number, show, text } from '#kubernetes/model/objects.ts'
import { hostPorts } from './connections.ts'

/** Every way into the environment from outside the cluster, one line each. */
export function exposure(environment: Environment): string[] {
  return [
    ...environment.ofKind('Service', '').flatMap(ofService),
    ...environment.ofKind('Ingress').flatMap(ofIngress),
    ...environment.ofKind('Gateway').flatMap(ofGateway),
    ...['HTTPRoute', 'GRPCRoute', 'TLSRoute', 'TCPRoute', 'UDPRoute'].flatMap((kind) =>
      environment.ofKind(kind).flatMap(ofRoute),
    ),
    ...hostPorts(environment),
  ]
}

function ofService({ name, raw }: KubeObject): string[] {
  const type = text(at(raw, 'spec', 'type'))
  const external = items(at(raw, 'spec', 'externalIPs')).map(
    (address) => `external address ${show(address)} → Service ${name}`,
  )
  if (type !== 'LoadBalancer' && type !== 'NodePort') return external
  const ports = items(at(raw, 'spec', 'ports')).map(
    (port) => `${type} port ${number(at(port, 'port')) ?? '?'} → Service ${name}`,
  )
  return [...external, ...ports]
}

function ofIngress({ name, raw }: KubeObject): string[] {
  return items(at(raw, 'spec', 'rules')).flatMap((rule) =>
    items(at(rule, 'http', 'paths')).map((path) => {
      const backend = text(at(path, 'backend', 'service', 'name')) ?? '?'
      return `${text(at(rule, 'host')) ?? 'any host'}${text(at(path, 'path')) ?? '/'} → Service ${backend} (Ingress ${name})`
    }),
  )
}

function ofGateway({ name, raw }: KubeObject): string[] {
  return items(at(raw, 'spec', 'listeners')).map((listener) => {
    const host = text(at(listener, 'hostname')) ?? 'any host'
    return `${text(at(listener, 'protocol')) ?? ''} ${host}:${number(at(listener, 'port')) ?? '?'} (Gateway ${name})`
  })
}

function ofRoute({ kind, name, raw }: KubeObject): string[] {
  const hosts = items(at(raw, 'spec', 'hostnames')).flatMap((host) => text(host) ?? [])
  return items(at(raw, 'spec', 'rules')).flatMap((rule) => {
    const matches = items(at(rule, 'matches')).map((match) => text(at(match, 'path', 'value')) ?? '/')
    const backends = items(at(rule, 'backendRefs')).map(
      (backend) => `${show(at(backend, 'name'))}:${show(at(backend, 'port') ?? '')}`,
    )
    return (hosts.length === 0 ? ["the Gateway's hosts"] : hosts).flatMap((host) =>
      (matches.length === 0 ? ['/'] : matches).flatMap((path) =>
        backends.map((backend) => `${host}${path} → ${backend} (${kind} ${name})`),
      ),
    )
  })
}
