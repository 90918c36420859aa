import { mountAt, mountsOf } from '#kubernetes/configuration/mounts.ts'
import type { Environment } from '#kubernetes/model/environment.ts'
import { at, items, type KubeObject, nameOf, strings, text } from '#kubernetes/model/objects.ts'
import { quantity } from '#kubernetes/model/quantity.ts'
import type { Container, Workload } from '#kubernetes/model/workloads.ts'
import { containerAmount } from '#kubernetes/workloads/pod-resources.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'rabbitmq-configuration',
  category: 'configuration',
  severity: 'error',
  summary:
    "RabbitMQ's configuration fits its container: memory watermark below the limit, disk limit below the volume, declared ports, enabled plugins, and mounted definitions.",
  why: 'The kernel kills a broker whose watermark is above its memory limit; one whose free disk is always below its limit blocks all publishers; nothing can connect to a port without a listener; without its definitions the broker has no queues.',
  fix: 'Change the setting in the ConfigMap, or change the container to match.',
  needs: {
    what: 'a container of RabbitMQ that mounts its configuration',
    isIn: (environment) => [...brokers(environment)].length > 0,
  },
  check(environment, report) {
    for (const { workload, container, settings, plugins } of brokers(environment)) {
      const reportSetting = ({ object, key }: Setting, message: string, fix: string) =>
        report(object, ['data', key], message, `${fix} in ${key}.`)
      const limit = containerAmount(environment, workload, container, 'limits', 'memory')
      const watermark = settings.get('vm_memory_high_watermark.absolute')
      if (watermark !== undefined && limit !== undefined && bytes(watermark.value) >= limit)
        reportSetting(
          watermark,
          `the watermark is ${watermark.value}, but the memory limit of container "${container.name}" is ${limit} bytes; expected less`,
          'Raise the memory limit of the container, or lower vm_memory_high_watermark.absolute',
        )
      const disk = settings.get('disk_free_limit.absolute')
      const volume = largestClaim(workload)
      if (disk !== undefined && volume !== undefined && bytes(disk.value) >= volume)
        reportSetting(
          disk,
          `disk_free_limit is ${disk.value}, but the largest claim of ${nameOf(workload.object)} has ${volume} bytes; expected less`,
          'Raise the storage of the claim, or lower disk_free_limit.absolute',
        )
      for (const [name, protocol, plugin] of ports) {
        const setting = settings.get(name)
        const declared = container.ports.map(({ port }) => port)
        if (setting !== undefined && declared.length > 0 && !declared.includes(Number(setting.value)))
          reportSetting(
            setting,
            `RabbitMQ listens for ${protocol} on ${setting.value}, which container "${container.name}" does not declare; it declares ${declared.join(', ')}`,
            `Declare the port in the container, or set ${name} to ${declared.join(' or ')}`,
          )
        if (
          setting !== undefined &&
          plugins !== undefined &&
          plugin !== undefined &&
          !new RegExp(`\\b${plugin}\\b`).test(plugins.value)
        )
          reportSetting(plugins, `${name} is set, but the plugin ${plugin} is not enabled`, `Add ${plugin} to the list`)
      }
      const folder = settings.get('definitions.local.path')
      const mounts = mountsOf(environment, workload, container)
      if (
        folder !== undefined &&
        mountAt(mounts, folder.value) === undefined &&
        !mounts.some(({ mountPath }) => mountPath.startsWith(`${folder.value}/`))
      )
        reportSetting(
          folder,
          `nothing is mounted at ${folder.value}; the mounts are ${mounts.map(({ mountPath }) => mountPath).join(', ')}`,
          'Mount the definitions there, or set definitions.local.path to where they are mounted',
        )
    }
  },
})

const ports = [
  ['listeners.tcp.default', 'AMQP', undefined],
  ['management.tcp.port', 'management', 'rabbitmq_management'],
  ['prometheus.tcp.port', 'metrics', 'rabbitmq_prometheus'],
] as const

interface Setting {
  readonly object: KubeObject
  readonly key: string
  readonly value: string
}

interface Broker {
  readonly workload: Workload
  readonly container: Container
  readonly settings: ReadonlyMap<string, Setting>
  readonly plugins: Setting | undefined
}

/** Containers of RabbitMQ with the settings of all `*.conf` that they mount; a later file wins. */
function* brokers(environment: Environment): Generator<Broker> {
  for (const workload of environment.workloads)
    for (const container of workload.containers) {
      if (container.role !== 'main' || !/(?:^|\/)rabbitmq(?:[:@]|$)/.test(container.image)) continue
      const settings = new Map<string, Setting>()
      let plugins: Setting | undefined
      for (const volume of items(at(workload.pod, 'volumes'))) {
        const object = environment.find(
          'ConfigMap',
          workload.object.namespace,
          text(at(volume, 'configMap', 'name')) ?? '',
        )
        if (object === undefined) continue
        for (const [key, content] of Object.entries(strings(object.raw.data)).sort(([one], [other]) =>
          one.localeCompare(other),
        )) {
          if (key === 'enabled_plugins') plugins = { object, key, value: content }
          if (!key.endsWith('.conf')) continue
          for (const [, name = '', value = ''] of content.matchAll(/^\s*([\w.]+)\s*=\s*(.+?)\s*$/gm))
            settings.set(name, { object, key, value })
        }
      }
      if (settings.size > 0) yield { workload, container, settings, plugins }
    }
}

function largestClaim({ object }: Workload): number | undefined {
  const sizes = items(at(object.raw, 'spec', 'volumeClaimTemplates')).flatMap(
    (claim) => quantity(at(claim, 'spec', 'resources', 'requests', 'storage')) ?? [],
  )
  return sizes.length === 0 ? undefined : Math.max(...sizes)
}

/** `1200MB`, `4GiB`; not a number where the value is something else. */
function bytes(value: string): number {
  const [, count, unit = ''] = /^(\d+(?:\.\d+)?)\s*([kmgt]i?b?|b?)$/i.exec(value) ?? []
  const power = ' kmgt'.indexOf(unit.toLowerCase()[0] ?? ' ')
  return Number(count) * (/i/i.test(unit) ? 1024 : 1000) ** Math.max(power, 0)
}
