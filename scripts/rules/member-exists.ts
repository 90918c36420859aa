import { at, nameOf, number, text } from '#kubernetes/model/objects.ts'
import { perEnvironment } from '#kubernetes/model/per-environment.ts'
import type { Workload } from '#kubernetes/model/workloads.ts'
import { declarationsOf } from '#kubernetes/network/declared-addresses.ts'
import { isHeadless } from '#kubernetes/network/dns.ts'
import { scaleOf } from '#kubernetes/workloads/scalers.ts'
import { defineRule } from '#rule/define-rule.ts'
import { plural } from '#text/plural.ts'

export default defineRule({
  id: 'member-exists',
  category: 'networking',
  severity: 'error',
  summary:
    'A StatefulSet pod that is addressed by name (rabbitmq-2.rabbitmq-nodes) exists, and resolves before it is ready where that is needed.',
  why: 'A name beyond the replicas never resolves; a pod that is not ready has no DNS record, so members that discover each other before they are ready, or a Job that has to run for them to become ready, wait forever.',
  fix: 'Name as many members as there are replicas, and set publishNotReadyAddresses: true on the headless Service.',
  check(environment, report) {
    for (const declaration of declarationsOf(environment)) {
      const { workload, object, path, label, address } = declaration
      const [pod = '', service = ''] = address.host.split('.')
      const ordinal = /^(.+)-(\d+)$/.exec(pod)
      const namespace = workload.object.namespace
      const headless = environment.find('Service', namespace, service)
      const members =
        ordinal?.[1] === undefined ? undefined : byService(environment).get(`${namespace}/${service}/${ordinal[1]}`)
      if (members === undefined || headless === undefined || !isHeadless(headless)) continue
      const { max } = scaleOf(environment, members)
      const first = number(at(members.object.raw, 'spec', 'ordinals', 'start')) ?? 0
      if (Number(ordinal?.[2]) >= first + max)
        report(
          object,
          path,
          `${label} names ${pod}, but ${nameOf(members.object)} has ${plural(max, 'pod')}, up to ${ordinal?.[1]}-${first + max - 1}`,
          `Name no pod beyond ${ordinal?.[1]}-${first + max - 1} in the value of ${label}, or raise replicas.`,
        )
      const early = workload === members || workload.runsToCompletion
      if (early && at(headless.raw, 'spec', 'publishNotReadyAddresses') !== true)
        report(
          headless,
          ['spec'],
          `${nameOf(workload.object)} resolves ${pod} through this Service before it is ready; expected publishNotReadyAddresses: true`,
          'Set publishNotReadyAddresses to true on the Service.',
        )
    }
  },
})

/** StatefulSets by namespace, headless Service and name. */
const byService = perEnvironment(
  ({ workloads }) =>
    new Map<string, Workload>(
      workloads
        .filter(({ object }) => object.kind === 'StatefulSet')
        .map((workload) => [
          `${workload.object.namespace}/${text(at(workload.object.raw, 'spec', 'serviceName'))}/${workload.object.name}`,
          workload,
        ]),
    ),
)
