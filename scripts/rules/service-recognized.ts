import { at, nameOf } from '#kubernetes/model/objects.ts'
import { programOf } from '#platform/programs.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'service-recognized',
  category: 'images',
  scope: 'platform',
  severity: 'error',
  summary:
    'An environment that runs services of this repository runs all of them, from images whose names the rules recognise.',
  why: 'The rules about the settings and ports of our programs recognise them by the image name, inference-SERVICE. Under another name nothing is checked, and a missing password shows only as a pod that does not start.',
  fix: 'Name the image inference-SERVICE in versions.yaml, after any registry and path.',
  needs: {
    what: 'services that the repository builds (apps/)',
    isIn: (environment) => (environment.own?.services.length ?? 0) > 0,
  },
  check(environment, report) {
    const [first] = environment.objects
    if (first === undefined) return
    const running = new Set(
      environment.workloads.flatMap(({ containers }) => containers.flatMap((one) => programOf(one)?.image ?? [])),
    )
    const services = environment.own?.services ?? []
    const named = new Set(environment.workloads.map(({ object }) => object.name))
    // An environment of one store or model server alone runs no service on purpose.
    if (!services.some((service) => running.has(service) || named.has(service))) return
    for (const service of services) {
      if (running.has(service)) continue
      const workload = environment.workloads.find(({ object }) => object.name === service)
      const [container] = workload?.containers ?? []
      if (workload === undefined || container === undefined) {
        report(
          first,
          [],
          `nothing runs the service ${service} of apps/${service}`,
          `Add a Deployment that runs the image inference-${service}, or remove apps/${service}.`,
        )
        continue
      }
      report(
        workload.object,
        [...container.path, 'image'],
        `${nameOf(workload.object)} runs ${String(at(container.raw, 'image'))}, which the rules do not recognise as the service ${service}`,
        `Name the image inference-${service} in versions.yaml, after any registry and path.`,
      )
    }
  },
})
