import { containerEnv, expand } from '#kubernetes/configuration/container-env.ts'
import type { Environment } from '#kubernetes/model/environment.ts'
import type { Path } from '#kubernetes/model/finding.ts'
import { at, items, type KubeObject, strings, text } from '#kubernetes/model/objects.ts'
import type { Container, Workload } from '#kubernetes/model/workloads.ts'
import { containerAmount } from '#kubernetes/workloads/pod-resources.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'redis-maxmemory',
  category: 'configuration',
  severity: 'error',
  summary: "Redis's maxmemory is below the memory limit of its container.",
  why: 'The kernel kills Redis at the memory limit before Redis reaches maxmemory; buffers and a rewrite of the append-only file come on top of it.',
  fix: 'Set maxmemory to three quarters of the memory limit or less.',
  check(environment, report) {
    for (const workload of environment.workloads)
      for (const container of workload.containers) {
        const limit = containerAmount(environment, workload, container, 'limits', 'memory')
        const found = limit === undefined ? undefined : maxmemory(environment, workload, container)
        if (found === undefined || limit === undefined || found.bytes === 0 || found.bytes < limit) continue
        report(
          found.object,
          found.path,
          `maxmemory is ${found.written} (${found.bytes} bytes), but the memory limit of container "${container.name}" is ${limit} bytes`,
          `Set maxmemory to ${Math.floor((limit * 3) / 4 / 2 ** 20)}mb (three quarters of the memory limit) or less, or raise the limit.`,
        )
      }
  },
})

interface Found {
  readonly object: KubeObject
  readonly path: Path
  readonly written: string
  readonly bytes: number
}

/** `--maxmemory` among the arguments, which take precedence, or `maxmemory` in the configuration file that the first argument names. */
function maxmemory(environment: Environment, workload: Workload, container: Container): Found | undefined {
  const { variables } = containerEnv(environment, workload.object, container)
  for (const field of ['args', 'command']) {
    const list = items(at(container.raw, field)).map((argument) => expand(text(argument) ?? '', variables) ?? '')
    const index = list.indexOf('--maxmemory')
    const written = index === -1 ? undefined : list[index + 1]
    const amount = bytes(written)
    if (written !== undefined && amount !== undefined)
      return { object: workload.object, path: [...container.path, field, index + 1], written, bytes: amount }
  }
  if (!container.image.includes('redis') && !container.image.includes('valkey')) return undefined
  for (const volume of items(at(workload.pod, 'volumes'))) {
    const map = environment.find('ConfigMap', workload.object.namespace, text(at(volume, 'configMap', 'name')) ?? '')
    for (const [key, content] of Object.entries(strings(map?.raw.data))) {
      const written = /^\s*maxmemory\s+(\S+)/m.exec(content)?.[1]
      const amount = bytes(written)
      if (map !== undefined && written !== undefined && amount !== undefined)
        return { object: map, path: ['data', key], written, bytes: amount }
    }
  }
  return undefined
}

/** Units of redis.conf: `k` is 1000, `kb` 1024. */
const units: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 1e3,
  kb: 2 ** 10,
  m: 1e6,
  mb: 2 ** 20,
  g: 1e9,
  gb: 2 ** 30,
}

function bytes(value: string | undefined): number | undefined {
  const match = /^(\d+)([a-z]{0,2})$/i.exec(value ?? '')
  const unit = units[(match?.[2] ?? '').toLowerCase()]
  return match === null || unit === undefined ? undefined : Number(match[1]) * unit
}
