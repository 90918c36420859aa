import { at, fields } from '#kubernetes/model/objects.ts'
import { broken, type MutationClass, refused, remove, set } from './mutation.ts'

const label = 'app.kubernetes.io/name'

export const selectors: readonly MutationClass[] = [
  broken(
    'service-selector',
    'The Service has no endpoints: every connection to it is refused.',
    function* (environment) {
      for (const service of environment.ofKind('Service', ''))
        yield set(service, ['spec', 'selector', label], `${service.name}-v2`)
    },
  ),
  broken('service-selector-extra', 'No pod has both labels, so the Service has no endpoints.', function* (environment) {
    for (const service of environment.ofKind('Service', '')) yield set(service, ['spec', 'selector', 'tier'], 'backend')
  }),
  broken('service-without-selector', 'A Service without a selector gets no endpoints.', function* (environment) {
    for (const service of environment.ofKind('Service', '')) yield remove(service, ['spec', 'selector'])
  }),
  broken(
    'service-selects-all',
    'The Service routes some of its connections to pods that do not speak its protocol.',
    function* (environment) {
      for (const service of environment.ofKind('Service', ''))
        yield set(service, ['spec', 'selector'], { 'app.kubernetes.io/part-of': 'inference-platform' })
    },
  ),
  refused(
    'workload-selector',
    'The selector does not match the template: the API server rejects the workload.',
    function* (environment) {
      for (const { object } of environment.workloads)
        if (at(object.raw, 'spec', 'selector', 'matchLabels', label) !== undefined)
          yield set(object, ['spec', 'selector', 'matchLabels', label], `${object.name}-v2`)
    },
  ),
  refused('workload-without-selector', 'apps/v1 requires a selector.', function* (environment) {
    for (const { object } of environment.workloads)
      if (at(object.raw, 'spec', 'selector') !== undefined) yield remove(object, ['spec', 'selector'])
  }),
  broken(
    'workload-relabelled',
    'Services, policies, budgets and monitors still select the old label.',
    function* (environment) {
      for (const { object, podPath } of environment.workloads)
        if (at(object.raw, 'spec', 'selector', 'matchLabels', label) !== undefined)
          yield [
            set(object, ['spec', 'selector', 'matchLabels', label], `${object.name}-v2`),
            set(object, [...podPath.slice(0, -1), 'metadata', 'labels', label], `${object.name}-v2`),
          ]
    },
  ),
  broken(
    'pod-relabelled',
    "NetworkPolicies no longer select the Job's pods: all their connections are denied.",
    function* (environment) {
      for (const { object, podPath, runsToCompletion } of environment.workloads)
        if (runsToCompletion)
          yield set(object, [...podPath.slice(0, -1), 'metadata', 'labels', label], `${object.name}-v2`)
    },
  ),
  broken(
    'selectors-overlap',
    'Two controllers, or a Service, also select the pods of another workload.',
    function* (environment) {
      const [first, ...others] = environment.workloads.filter(({ object }) => object.kind === 'Deployment')
      if (first === undefined) return
      for (const { object, podPath } of others)
        yield [
          set(object, ['spec', 'selector', 'matchLabels', label], first.object.name),
          set(object, [...podPath.slice(0, -1), 'metadata', 'labels', label], first.object.name),
        ]
    },
  ),
  broken(
    'pdb-selector',
    'The budget protects nothing: a drain evicts all pods at the same time.',
    function* (environment) {
      for (const budget of environment.ofKind('PodDisruptionBudget'))
        yield set(budget, ['spec', 'selector', 'matchLabels', label], `${budget.name}-v2`)
    },
  ),
  broken('pdb-selects-all', 'Pods that two budgets select cannot be evicted: a drain hangs.', function* (environment) {
    for (const budget of environment.ofKind('PodDisruptionBudget')) yield set(budget, ['spec', 'selector'], {})
  }),
  broken('policy-selector', 'The policy selects no pods, so what it allowed stays denied.', function* (environment) {
    for (const policy of environment.ofKind('NetworkPolicy'))
      if (at(policy.raw, 'spec', 'podSelector', 'matchLabels', label) !== undefined)
        yield set(policy, ['spec', 'podSelector', 'matchLabels', label], `${policy.name}-v2`)
  }),
  broken(
    'spread-selector',
    'The constraint selects no pods, so all may be scheduled on one node.',
    function* (environment) {
      for (const { object, podPath, pod } of environment.workloads)
        if (at(pod, 'topologySpreadConstraints', 0) !== undefined)
          yield set(
            object,
            [...podPath, 'topologySpreadConstraints', 0, 'labelSelector', 'matchLabels', label],
            'nobody',
          )
    },
  ),
  refused('spread-skew', 'maxSkew must be greater than zero.', function* (environment) {
    for (const { object, podPath, pod } of environment.workloads)
      if (at(pod, 'topologySpreadConstraints', 0) !== undefined)
        yield set(object, [...podPath, 'topologySpreadConstraints', 0, 'maxSkew'], 0)
  }),
  broken(
    'monitor-selector',
    'Prometheus finds no targets: dashboards stay empty and alerts never fire.',
    function* (environment) {
      for (const monitor of [...environment.ofKind('PodMonitor'), ...environment.ofKind('ServiceMonitor')])
        if (at(monitor.raw, 'spec', 'namespaceSelector') === undefined)
          yield set(monitor, ['spec', 'selector', 'matchLabels', label], `${monitor.name}-v2`)
    },
  ),
  refused('label-value', 'A label value must not contain a space or slash.', function* (environment) {
    for (const object of environment.objects)
      if (Object.keys(fields(at(object.raw, 'metadata', 'labels'))).includes(label))
        yield set(object, ['metadata', 'labels', label], 'Not a label/value')
  }),
]
