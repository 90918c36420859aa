import { containerEnv } from '#kubernetes/configuration/container-env.ts'
import type { Environment } from '#kubernetes/model/environment.ts'
import { at, text } from '#kubernetes/model/objects.ts'
import type { Container, Workload } from '#kubernetes/model/workloads.ts'
import { monitorsOf } from '#kubernetes/monitoring/monitors.ts'
import { probeKinds } from '#kubernetes/workloads/probes.ts'
import { programOf, variablesOf } from '#platform/programs.ts'
import { platformImage } from '#rule/conventions.ts'
import { defineRule } from '#rule/define-rule.ts'

/** The paths that every program of this platform serves on METRICS_PORT, and the gateway on PORT too: docs/architecture.md. */
const probePaths = ['/livez', '/readyz']
const metricsPath = '/metrics'

export default defineRule({
  id: 'program-endpoints',
  category: 'networking',
  scope: 'platform',
  severity: 'error',
  summary:
    "The ports of this platform's programs are those that they listen on (PORT, METRICS_PORT), and probes and monitors use paths that they serve.",
  why: 'A program listens on the port of its configuration, whatever its container declares; another port refuses the connection and another path answers 404: the pod is never ready, restarted forever, or not scraped.',
  fix: 'Use /livez, /readyz and /metrics as path, and the same number in the variable (PORT, METRICS_PORT) and in containerPort.',
  needs: platformImage,
  check(environment, report) {
    for (const workload of environment.workloads)
      for (const container of workload.containers) {
        const listening = listeningPorts(environment, workload, container)
        if (listening === undefined) continue
        for (const [index, { port }] of container.ports.entries())
          if (![...listening.values()].includes(port)) {
            const known = [...listening].map(([name, number]) => `${number} (${name})`).join(', ')
            report(
              workload.object,
              [...container.path, 'ports', index, 'containerPort'],
              `the program does not listen on ${port}; it listens on ${known}`,
            )
          }
        for (const kind of probeKinds) {
          const path = text(at(container.raw, kind, 'httpGet', 'path'))
          if (path !== undefined && !probePaths.includes(path))
            report(
              workload.object,
              [...container.path, kind, 'httpGet', 'path'],
              `the program does not serve ${path}; expected ${probePaths.join(' or ')}`,
            )
        }
      }
    for (const { object, endpoints } of monitorsOf(environment))
      for (const { path, scraped } of endpoints) {
        const configured = text(at(object.raw, ...path, 'path')) ?? metricsPath
        const ours = scraped.find(({ workload, port }) =>
          workload.containers.some((container) =>
            [...(listeningPorts(environment, workload, container)?.values() ?? [])].includes(port),
          ),
        )
        if (ours !== undefined && configured !== metricsPath)
          report(
            object,
            [...path, 'path'],
            `${ours.workload.object.name} does not serve ${configured}; its metrics are at ${metricsPath}`,
          )
      }
  },
})

/** The ports by the variable that sets them; undefined for other programs and for those that do not listen. */
function listeningPorts(
  environment: Environment,
  workload: Workload,
  container: Container,
): Map<string, number> | undefined {
  const program = programOf(container)
  const definitions = program && variablesOf(program)
  if (definitions === undefined) return undefined
  const { variables } = containerEnv(environment, workload.object, container)
  const listening = new Map<string, number>()
  for (const name of ['PORT', 'METRICS_PORT']) {
    const definition = definitions[name]
    if (definition !== undefined) listening.set(name, Number(variables.get(name) ?? definition.default))
  }
  return listening.size === 0 ? undefined : listening
}
