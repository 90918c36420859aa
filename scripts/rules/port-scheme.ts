import { push } from '#kubernetes/model/collections.ts'
import type { Environment } from '#kubernetes/model/environment.ts'
import type { Path } from '#kubernetes/model/finding.ts'
import { at, items, text, type Value } from '#kubernetes/model/objects.ts'
import type { Workload } from '#kubernetes/model/workloads.ts'
import { monitorsOf } from '#kubernetes/monitoring/monitors.ts'
import { probeKinds } from '#kubernetes/workloads/probes.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'port-scheme',
  severity: 'error',
  summary:
    'All that ask a port by HTTP, the probes and the Services that name its protocol, agree whether it speaks TLS.',
  why: 'A port speaks one of the two: a probe that asks for the other always fails, so the pod never becomes ready or is restarted for ever.',
  fix: 'Set the scheme of the probe to what the port speaks.',
  check(environment, report) {
    for (const workload of environment.workloads) {
      const uses = new Map<number, { scheme: string; who: string; path: Path }[]>()
      for (const use of usesOf(environment, workload)) push(uses, use.port, use)
      for (const all of uses.values()) {
        const tls = all.filter(({ scheme }) => scheme === 'HTTPS')
        const plain = all.filter(({ scheme }) => scheme === 'HTTP')
        if (tls.length === 0 || plain.length === 0) continue
        const [odd, others] = tls.length <= plain.length ? [tls, plain] : [plain, tls]
        for (const { scheme, who, path } of odd)
          if (path.length > 0)
            report(workload.object, path, `${who} asks by ${scheme}, but ${others[0]?.who} by ${others[0]?.scheme}`)
      }
    }
  },
})

/** Who asks which port of a workload's containers by which scheme. Services have no path here: only a probe can be mended. */
function* usesOf(
  environment: Environment,
  { containers, object, labels }: Workload,
): Generator<{ port: number; scheme: string; who: string; path: Path }> {
  const numberOf = (port: Value, ports = containers.flatMap((container) => container.ports)) =>
    typeof port === 'number' ? port : ports.find(({ name }) => name !== undefined && name === port)?.port
  for (const { raw, path, ports } of containers)
    for (const kind of probeKinds) {
      const http = at(raw, kind, 'httpGet')
      const port = numberOf(at(http, 'port'), [...ports])
      if (http === undefined || port === undefined || at(http, 'host')) continue
      const known = at(http, 'scheme') === undefined ? [] : ['scheme']
      yield { port, scheme: text(at(http, 'scheme')) ?? 'HTTP', who: kind, path: [...path, kind, 'httpGet', ...known] }
    }
  for (const { object: monitor, endpoints } of monitorsOf(environment))
    for (const { path, scraped } of endpoints)
      for (const { workload, port } of scraped)
        if (workload.object === object)
          yield {
            port,
            scheme: (text(at(monitor.raw, ...path, 'scheme')) ?? 'http').toUpperCase(),
            who: `${monitor.kind} ${monitor.name}`,
            path: [],
          }
  if (Object.keys(labels).length === 0) return
  for (const service of environment.ofKind('Service', '')) {
    if (service.namespace !== object.namespace) continue
    if (
      !environment
        .selectedByMap(object.namespace, at(service.raw, 'spec', 'selector'))
        .some((selected) => selected.object === object)
    )
      continue
    for (const entry of items(at(service.raw, 'spec', 'ports'))) {
      const scheme = { http: 'HTTP', https: 'HTTPS' }[text(at(entry, 'appProtocol')) ?? '']
      const port = numberOf(at(entry, 'targetPort') ?? at(entry, 'port'))
      if (scheme !== undefined && port !== undefined) yield { port, scheme, who: `Service ${service.name}`, path: [] }
    }
  }
}
