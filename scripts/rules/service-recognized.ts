import { at, nameOf } from '#kubernetes/model/objects.ts'
import { programOf } from '#platform/programs.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'service-recognized',
  category: 'images',
  scope: 'platform',
  severity: 'error',
  summary:
    'A workload with the name of a service of this repository runs an image that the rules recognise as that service.',
  why: 'The rules about the settings and ports of our programs recognise them by the image name, inference-SERVICE. Under another name nothing is checked, and a missing password shows only as a pod that does not start.',
  fix: 'Name the image inference-SERVICE in versions.yaml, after any registry and path.',
  needs: {
    what: 'services that the repository builds (apps/)',
    isIn: (environment) => (environment.own?.services.length ?? 0) > 0,
  },
  check(environment, report) {
    const running = new Set(
      environment.workloads.flatMap(({ containers }) => containers.flatMap((one) => programOf(one)?.image ?? [])),
    )
    for (const service of environment.own?.services ?? []) {
      if (running.has(service)) continue
      const workload = environment.workloads.find(({ object }) => object.name === service)
      const [container] = workload?.containers ?? []
      // An environment may run only some of the services.
      if (workload === undefined || container === undefined) continue
      report(
        workload.object,
        [...container.path, 'image'],
        `${nameOf(workload.object)} runs ${String(at(container.raw, 'image'))}, which the rules do not recognise as the service ${service}`,
        `Name the image inference-${service} in versions.yaml, after any registry and path.`,
      )
    }
  },
})
