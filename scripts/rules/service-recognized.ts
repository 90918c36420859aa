import { at, nameOf } from '#kubernetes/model/objects.ts'
import { programOf } from '#platform/programs.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'service-recognized',
  category: 'images',
  scope: 'platform',
  severity: 'error',
  summary:
    'Every service that this repository builds runs in an environment from an image by whose name the rules recognise it.',
  why: 'The rules about the settings and ports of our programs know them by the name of the image, inference-SERVICE. Under another name they check nothing, and a missing password is found by the pod that does not start.',
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
    for (const service of environment.own?.services ?? []) {
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
        `${nameOf(workload.object)} runs ${String(at(container.raw, 'image'))}, by which the rules do not recognise the service ${service}`,
        `Name the image inference-${service} in versions.yaml, after any registry and path.`,
      )
    }
  },
})
