import { environmentOf, expand } from '#kubernetes/configuration/container-env.ts'
import type { Environment } from '#kubernetes/model/environment.ts'
import type { Path } from '#kubernetes/model/finding.ts'
import { at, fields, items, type KubeObject, number, strings, text, type Value } from '#kubernetes/model/objects.ts'
import { perEnvironment } from '#kubernetes/model/per-environment.ts'
import { selectsByMap } from '#kubernetes/model/selectors.ts'
import type { Container, Workload } from '#kubernetes/model/workloads.ts'
import { triggersOf } from '#kubernetes/workloads/scalers.ts'
import { servingPorts } from './policies.ts'

/** A value that says where a program connects to: a URL, or a host with a port. */
export interface Address {
  readonly scheme: string | undefined
  readonly host: string
  /** The scheme's own port when the address names none. */
  readonly port: number | undefined
}

/** Schemes of connections, with the ports that IANA or their project gave them; other schemes (`s3:`, `file:`) name no host. */
const defaultPorts: Readonly<Record<string, number | undefined>> = {
  amqp: 5672,
  amqps: 5671,
  grpc: undefined,
  http: 80,
  https: 443,
  kafka: 9092,
  mongodb: 27017,
  mysql: 3306,
  nats: 4222,
  postgres: 5432,
  postgresql: 5432,
  redis: 6379,
  rediss: 6379,
  tcp: undefined,
  ws: 80,
  wss: 443,
}

const host = '[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?'
const url = new RegExp(`^(?:jdbc:)?([a-z][a-z0-9+.-]*)://(?:[^\\s@/]*@)?(${host})(?::(\\d{1,5}))?(?:[/?#].*)?$`, 'i')
const hostAndPort = new RegExp(`^(?:[^\\s@/]*@)?(${host}):(\\d{1,5})(?:/.*)?$`)

/** Reads a URL or `host:port`; undefined when the text is neither, or a URL that is no connection. */
export function toAddress(value: string): Address | undefined {
  const full = url.exec(value)
  if (full !== null) {
    const scheme = (full[1] ?? '').toLowerCase()
    if (!Object.hasOwn(defaultPorts, scheme)) return undefined
    return { scheme, host: full[2] ?? '', port: full[3] === undefined ? defaultPorts[scheme] : Number(full[3]) }
  }
  const short = hostAndPort.exec(value)
  return short === null ? undefined : { scheme: undefined, host: short[1] ?? '', port: Number(short[2]) }
}

/** The Service a host name means, seen from a namespace. */
export type Resolved =
  | { readonly service: KubeObject }
  | { readonly missing: { readonly name: string; readonly namespace: string } }
  /** A name outside the rendered namespaces, or of the internet. */
  | undefined

/**
 * Resolves a host name as the cluster's DNS does: `service`, `service.namespace`, `service.namespace.svc[.domain]`, and the names of a headless
 * Service's pods before each of these.
 */
export function resolveHost(environment: Environment, name: string, from: string): Resolved {
  const labels = name.replace(/\.$/, '').split('.')
  const svc = labels.indexOf('svc')
  const service = (label: string | undefined, namespace: string) =>
    label === undefined ? undefined : environment.find('Service', namespace, label)
  if (svc >= 2) {
    const namespace = labels[svc - 1] ?? ''
    const label = labels[svc - 2] ?? ''
    const found = service(label, namespace)
    if (found !== undefined) return { service: found }
    return environment.hasNamespace(namespace) ? { missing: { name: label, namespace } } : undefined
  }
  const [first = '', second = '', third = ''] = labels
  if (labels.length === 1) {
    if (first === 'localhost') return undefined
    const found = service(first, from)
    return found !== undefined ? { service: found } : { missing: { name: first, namespace: from } }
  }
  if (labels.length > 3) return undefined
  // `a.b` may be Service a of namespace b or a pod of the headless Service b, `a.b.c` a pod of Service b of namespace c.
  const found =
    labels.length === 2 ? (service(first, second) ?? headless(service(second, from))) : service(second, third)
  if (found !== undefined) return { service: found }
  if (labels.length === 2 && second !== '' && second !== from && environment.hasNamespace(second))
    return { missing: { name: first, namespace: second } }
  return undefined
}

function headless(service: KubeObject | undefined): KubeObject | undefined {
  return service !== undefined && isHeadless(service) ? service : undefined
}

/** Whether a Service has no address of its own: its name leads to the pods themselves, and its ports translate nothing. */
export function isHeadless(service: KubeObject): boolean {
  return at(service.raw, 'spec', 'clusterIP') === 'None'
}

/** Where a connection to a Service ends: a port of the pods behind it. */
export interface Destination {
  readonly workload: Workload
  readonly port: number
}

/** The pods and ports that a Service's port leads to; all ports when none is given. */
export function destinations(environment: Environment, service: KubeObject, port: number | undefined): Destination[] {
  const found: Destination[] = []
  const ports = items(at(service.raw, 'spec', 'ports'))
  for (const workload of environment.selectedByMap(service.namespace, at(service.raw, 'spec', 'selector'))) {
    const serving = servingPorts(workload)
    if (isHeadless(service)) {
      const wanted = port === undefined ? ports.map((entry) => number(at(entry, 'port'))) : [port]
      for (const entry of wanted) if (entry !== undefined) found.push({ workload, port: entry })
      continue
    }
    for (const entry of ports) {
      if (port !== undefined && at(entry, 'port') !== port) continue
      const target = at(entry, 'targetPort') ?? at(entry, 'port')
      const reached = number(target) ?? serving.find(({ name }) => name !== undefined && name === text(target))?.port
      if (reached !== undefined) found.push({ workload, port: reached })
    }
  }
  return found
}

/** Whether a Service has a port; a headless one leads to whatever its pods listen on. */
export function serviceHasPort(service: KubeObject, port: number): boolean {
  const ports = items(at(service.raw, 'spec', 'ports'))
  return isHeadless(service) || ports.length === 0 || ports.some((entry) => at(entry, 'port') === port)
}

/** A place in the manifests that names an address. */
export interface Declaration {
  /** The pods that connect. */
  readonly workload: Workload
  /** Where the address stands: in the workload, or in a ConfigMap that it reads. */
  readonly object: KubeObject
  readonly path: Path
  /** How a message calls the place: `REDIS_URL`. */
  readonly label: string
  readonly address: Address
  /** Surely meant as an address, so that one which leads nowhere is a fault. */
  readonly certain: boolean
}

/** Variables whose values are hosts or addresses. */
const addressName = /(?:HOSTS?|HOSTNAMES?|SERVERS?|ADDR|ADDRESS(?:ES)?|ENDPOINTS?|URLS?|URIS?|BROKERS|NODES)$/i

/** Every address in the environment variables, arguments and mounted ConfigMaps of the workloads. */
export const declarationsOf = perEnvironment((environment): readonly Declaration[] => {
  const found: Declaration[] = []
  for (const workload of environment.workloads) {
    for (const container of workload.containers) {
      const { variables } = environmentOf(environment, workload.object, container)
      for (const place of placesOf(environment, workload, container))
        found.push(...inVariable(workload, place, variables))
      found.push(...inArguments(workload, container, variables))
    }
    found.push(...inMountedFiles(environment, workload))
  }
  return found
})

/** Where a variable of a container gets its value. */
export interface Place {
  readonly name: string
  readonly object: KubeObject
  readonly path: Path
}

/** The places of the variables whose values are rendered. A container's own variables come last and win. */
export function placesOf(environment: Environment, { object }: Workload, container: Container): Iterable<Place> {
  const places = new Map<string, Place>()
  const configMap = (name: Value) => environment.find('ConfigMap', object.namespace, text(name) ?? '')
  for (const source of items(at(container.raw, 'envFrom'))) {
    const map = configMap(at(source, 'configMapRef', 'name'))
    if (map === undefined) continue
    const prefix = text(at(source, 'prefix')) ?? ''
    for (const key of Object.keys(strings(map.raw.data)))
      places.set(prefix + key, { name: prefix + key, object: map, path: ['data', key] })
  }
  for (const { name, value, path, raw } of container.env) {
    const ref = at(raw, 'valueFrom', 'configMapKeyRef')
    const map = configMap(at(ref, 'name'))
    if (value !== undefined) places.set(name, { name, object, path: [...path, 'value'] })
    else if (map !== undefined) places.set(name, { name, object: map, path: ['data', text(at(ref, 'key')) ?? ''] })
    else places.delete(name)
  }
  return places.values()
}

type Values = ReadonlyMap<string, string | undefined>

function inVariable(workload: Workload, { name, object, path }: Place, values: Values): Declaration[] {
  const declare = (address: Address, certain: boolean) => ({ workload, object, path, label: name, address, certain })
  const found: Declaration[] = []
  const named = addressName.test(name)
  for (const part of (values.get(name) ?? '').split(/[\s,;]+/)) {
    const address = toAddress(part)
    if (address !== undefined) found.push(declare(address, address.scheme !== undefined || named))
    else if (named && /^[A-Za-z0-9][A-Za-z0-9.-]*$/.test(part)) {
      // A host by itself; its port may stand in the variable beside it.
      const port = Number(values.get(name.replace(/(?:HOST|HOSTNAME|SERVER|ADDR|ADDRESS)$/i, 'PORT')))
      const beside = Number.isInteger(port) && port > 0 ? port : undefined
      found.push(declare({ scheme: undefined, host: part, port: beside }, false))
    }
  }
  return found
}

/** Arguments and commands: `--redis=redis://redis:6379`, `--host redis`, also within a script. */
function inArguments(workload: Workload, container: Container, values: Values): Declaration[] {
  const found: Declaration[] = []
  for (const field of ['command', 'args']) {
    const list = items(at(container.raw, field)).map((argument) => expand(text(argument) ?? '', values) ?? '')
    for (const [index, argument] of list.entries()) {
      const declare = (address: Address, certain: boolean) => {
        const path = [...container.path, field, index]
        found.push({ workload, object: workload.object, path, label: field, address, certain })
      }
      for (const part of argument.split(/[\s,;=|"'`()<>]+/)) {
        const address = toAddress(part)
        if (address !== undefined) declare(address, address.scheme !== undefined)
      }
      // An option and its value may be two items.
      for (const address of hostOptions(/^-/.test(argument) ? `${argument} ${list[index + 1] ?? ''}` : argument))
        declare(address, false)
    }
  }
  return found
}

const hostOption = new RegExp(`(?:^|\\s)(?:--host(?:name)?[=\\s]|-h\\s?)["']?(${host})`, 'g')
const portOption = /(?:^|\s)(?:--port[=\s]|-p\s?)["']?(\d{1,5})/

/** The hosts that a command line names by an option: `psql --host=postgres`, `redis-cli -h redis -p 6379`. */
function hostOptions(line: string): Address[] {
  const port = portOption.exec(line)?.[1]
  return [...line.matchAll(hostOption)].map(([, name = '']) => ({
    scheme: undefined,
    host: name,
    port: port === undefined ? undefined : Number(port),
  }))
}

// All lengths are bounded, so that a large or hostile file costs no more than its size.
const urlInText = /\b[a-z][a-z0-9+]{1,20}:\/\/[^\s"'`<>,;)\]}]{1,500}/gi
const label = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?'
const serviceInText = new RegExp(`\\b${label}(?:\\.${label}){1,2}\\.svc\\b[a-z0-9.-]{0,200}(?::\\d{1,5})?`, 'gi')

/** The name of a StatefulSet's pod under a Service: `rabbitmq-0.rabbitmq-nodes`. */
const memberInText = /\b[a-z][a-z0-9-]{0,61}-\d{1,4}\.[a-z][a-z0-9-]{0,61}\b(?!\.)/g

/** Files that a ConfigMap puts into the pod: URLs, names that end in `.svc`, members of a StatefulSet, and the hosts that scripts name by an option. */
function inMountedFiles(environment: Environment, workload: Workload): Declaration[] {
  const found: Declaration[] = []
  const { namespace } = workload.object
  for (const volume of items(at(workload.pod, 'volumes'))) {
    const sources = [
      at(volume, 'configMap'),
      ...items(at(volume, 'projected', 'sources')).map((source) => at(source, 'configMap')),
    ]
    for (const source of sources) {
      const map = environment.find('ConfigMap', namespace, text(at(source, 'name')) ?? '')
      if (map === undefined) continue
      const chosen = items(fields(source).items).map((item) => text(at(item, 'key')))
      for (const [key, content] of Object.entries(strings(map.raw.data))) {
        if (chosen.length > 0 && !chosen.includes(key)) continue
        const declare = (address: Address) =>
          // A file may name more than this program's own connections, so what leads nowhere is no fault.
          found.push({ workload, object: map, path: ['data', key], label: key, address, certain: false })
        for (const [match] of content.matchAll(urlInText)) {
          const address = toAddress(match)
          if (address !== undefined) declare(address)
        }
        for (const [match] of content.includes('.svc') ? content.matchAll(serviceInText) : [])
          declare(toAddress(match) ?? { scheme: undefined, host: match, port: undefined })
        for (const [match] of content.matchAll(memberInText))
          declare({ scheme: undefined, host: match, port: undefined })
        for (const line of content.replaceAll('\\\n', ' ').split('\n'))
          for (const address of hostOptions(line)) declare(address)
      }
    }
  }
  return found
}

/** One connection that the manifests declare, from pods to pods. */
export interface Edge {
  readonly from: Workload
  readonly to: Workload
  /** The port; several when the address names a Service without a port, so that any of its ports may be meant. */
  readonly ports: readonly number[]
  readonly declaration: Declaration
}

/** Every declared connection between rendered pods. */
export const edgesOf = perEnvironment((environment): readonly Edge[] => {
  const edges: Edge[] = []
  for (const declaration of declarationsOf(environment)) {
    const { workload, address } = declaration
    const resolved = resolveHost(environment, address.host, workload.object.namespace)
    if (resolved === undefined || 'missing' in resolved) continue
    const portsByWorkload = new Map<Workload, number[]>()
    for (const { workload: to, port } of destinations(environment, resolved.service, address.port))
      portsByWorkload.set(to, [...(portsByWorkload.get(to) ?? []), port])
    // The members of a cluster need every port that their Service declares, not one of them.
    for (const [to, ports] of portsByWorkload)
      for (const some of to === workload ? ports.map((port) => [port]) : [ports])
        edges.push({ from: workload, to, ports: some, declaration })
  }
  return edges
})

/** The peers of a StatefulSet: its pods may reach each other on the ports of its headless Service. */
export function* peerPorts(environment: Environment, workload: Workload): Generator<number> {
  if (workload.object.kind !== 'StatefulSet') return
  const name = text(at(workload.object.raw, 'spec', 'serviceName')) ?? ''
  const service = environment.find('Service', workload.object.namespace, name)
  if (service === undefined || !selectsByMap(at(service.raw, 'spec', 'selector'), workload.labels)) return
  for (const entry of items(at(service.raw, 'spec', 'ports'))) {
    const port = number(at(entry, 'port'))
    if (port !== undefined) yield port
  }
}

/** An address that a KEDA trigger asks, from KEDA's own namespace. */
export interface TriggerAddress {
  readonly object: KubeObject
  readonly path: Path
  readonly address: Address
}

/** Every address in the triggers of ScaledObjects and ScaledJobs. */
export const triggerAddressesOf = perEnvironment((environment): readonly TriggerAddress[] => {
  const found: TriggerAddress[] = []
  for (const kind of ['ScaledObject', 'ScaledJob'])
    for (const object of environment.ofKind(kind, 'keda.sh'))
      for (const { metadata, path } of triggersOf(object))
        for (const [key, value] of Object.entries(strings(metadata)))
          for (const part of value.split(/[\s,]+/)) {
            const address = toAddress(part)
            if (address !== undefined) found.push({ object, path: [...path, 'metadata', key], address })
          }
  return found
})
