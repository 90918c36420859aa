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
  category: 'networking',
  severity: 'error',
  summary:
    'Everything that uses a port over HTTP, such as probes, monitors and Services with an appProtocol, agrees on whether it uses TLS.',
  why: 'A port serves one of the two: a probe with the other scheme always fails, so the pod never becomes ready or is restarted forever.',
  fix: 'Set the scheme of the probe to the one that the port serves.',
  check(environment, report) {
    for (const workload of environment.workloads) {
      const uses = new Map<number, { scheme: string; client: string; path: Path }[]>()
      for (const use of usesOf(environment, workload)) push(uses, use.port, use)
      for (const all of uses.values()) {
        const tls = all.filter(({ scheme }) => scheme === 'HTTPS')
        const plain = all.filter(({ scheme }) => scheme === 'HTTP')
        if (tls.length === 0 || plain.length === 0) continue
        const [odd, others] = tls.length <= plain.length ? [tls, plain] : [plain, tls]
        for (const { scheme, client, path } of odd)
          if (path.length > 0)
            report(
              workload.object,
              path,
              `${client} uses ${scheme}, but ${others[0]?.client} uses ${others[0]?.scheme}`,
            )
      }
    }
  },
})

/** Which clients use which port of a workload's containers, and with which scheme. Only a probe has a path, since only a probe can be fixed. */
function* usesOf(
  environment: Environment,
  { containers, object, labels }: Workload,
): Generator<{ port: number; scheme: string; client: string; path: Path }> {
  const numberOf = (port: Value, ports = containers.flatMap((container) => container.ports)) =>
    typeof port === 'number' ? port : ports.find(({ name }) => name !== undefined && name === port)?.port
  for (const { raw, path, ports } of containers)
    for (const kind of probeKinds) {
      const http = at(raw, kind, 'httpGet')
      const port = numberOf(at(http, 'port'), [...ports])
      if (http === undefined || port === undefined || at(http, 'host')) continue
      const known = at(http, 'scheme') === undefined ? [] : ['scheme']
      yield {
        port,
        scheme: text(at(http, 'scheme')) ?? 'HTTP',
        client: kind,
        path: [...path, kind, 'httpGet', ...known],
      }
    }
  for (const { object: monitor, endpoints } of monitorsOf(environment))
    for (const { path, scraped } of endpoints)
      for (const { workload, port } of scraped)
        if (workload.object === object)
          yield {
            port,
            scheme: (text(at(monitor.raw, ...path, 'scheme')) ?? 'http').toUpperCase(),
            client: `${monitor.kind} ${monitor.name}`,
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
      if (scheme !== undefined && port !== undefined)
        yield { port, scheme, client: `Service ${service.name}`, path: [] }
    }
  }
}
