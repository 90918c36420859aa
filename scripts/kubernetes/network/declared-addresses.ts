import { containerEnv, expand } from '#kubernetes/configuration/container-env.ts'
import type { Environment } from '#kubernetes/model/environment.ts'
import type { Path } from '#kubernetes/model/finding.ts'
import { at, fields, items, type KubeObject, strings, text, type Value } from '#kubernetes/model/objects.ts'
import { perEnvironment } from '#kubernetes/model/per-environment.ts'
import type { Container, Workload } from '#kubernetes/model/workloads.ts'
import { triggersOf } from '#kubernetes/workloads/scalers.ts'
import { type Address, host, toAddress } from './addresses.ts'

/** A place in the manifests that names an address. */
export interface Declaration {
  /** The pods that connect. */
  readonly workload: Workload
  /** Where the address is written: in the workload, or in a ConfigMap that it reads. */
  readonly object: KubeObject
  readonly path: Path
  /** How a message calls the place: `REDIS_URL`. */
  readonly label: string
  readonly address: Address
  /** Certainly meant as an address, so that one which leads nowhere is reported. */
  readonly certain: boolean
}

/** Variables whose values are hosts or addresses. */
const addressName = /(?:HOSTS?|HOSTNAMES?|SERVERS?|ADDR|ADDRESS(?:ES)?|ENDPOINTS?|URLS?|URIS?|BROKERS|NODES)$/i

/** Every address in the environment variables, arguments and mounted ConfigMaps of the workloads. */
export const declarationsOf = perEnvironment((environment): readonly Declaration[] => {
  const found: Declaration[] = []
  for (const workload of environment.workloads) {
    for (const container of workload.containers) {
      const { variables } = containerEnv(environment, workload.object, container)
      for (const place of placesOf(environment, workload, container))
        found.push(...inVariable(workload, place, variables))
      found.push(...inArguments(workload, container, variables))
    }
    found.push(...inMountedFiles(environment, workload))
  }
  return found
})

/** Where a variable of a container gets its value. */
interface VariablePlace {
  readonly name: string
  readonly object: KubeObject
  readonly path: Path
}

/** The places of the variables whose values are rendered. A container's own variables come last and win. */
export function placesOf(
  environment: Environment,
  { object }: Workload,
  container: Container,
): Iterable<VariablePlace> {
  const places = new Map<string, VariablePlace>()
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

function inVariable(workload: Workload, { name, object, path }: VariablePlace, values: Values): Declaration[] {
  const declare = (address: Address, certain: boolean) => ({ workload, object, path, label: name, address, certain })
  const found: Declaration[] = []
  const named = addressName.test(name)
  for (const part of (values.get(name) ?? '').split(/[\s,;]+/)) {
    const address = toAddress(part)
    if (address !== undefined) found.push(declare(address, address.scheme !== undefined || named))
    else if (named && /^[A-Za-z0-9][A-Za-z0-9.-]*$/.test(part)) {
      // A host by itself; its port may be in the variable beside it.
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
          // A file may name more than this program's own connections, so one that leads nowhere is not reported.
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

/** An address that a KEDA trigger asks, from KEDA's own namespace. */
interface TriggerAddress {
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
