import type { MutationClass } from './mutation.ts'

/** The programs that prove without a cluster of nodes that a mutant is faulty. `npm run mutate -- --prove` runs them. */
export type Prover = 'API server' | 'controllers' | 'promtool'

/** Classes that the API server accepts and another of these programs proves. */
export const shown: Readonly<Record<Exclude<Prover, 'API server'>, readonly string[]>> = {
  // Kubernetes' own controllers create different pods, endpoints or budgets, or an eviction gets a different response.
  controllers: [
    'service-selector',
    'service-selector-extra',
    'service-without-selector',
    'service-selects-all',
    'workload-relabelled',
    'selectors-overlap',
    'pdb-selector',
    'pdb-selects-all',
    'target-port-name',
    'target-port-number',
    'service-port-protocol',
    'service-gone',
    'budget-gone',
    'workload-gone',
    'store-gone',
    'scaler-and-replicas',
    'replicas-zero',
    'cluster-shrunk',
    'pdb-blocks',
    'pdb-requires-all',
    'pdb-protects-nothing',
    'job-does-nothing',
    'job-suspended',
  ],
  // `promtool check rules` rejects it, as Prometheus does.
  promtool: ['alert-syntax', 'alert-template'],
}

/** The program that proves the faults of a class; undefined where that requires a kubelet, traffic, or the service itself. */
export function proverOf({ id, refused }: MutationClass): Prover | undefined {
  if (refused) return 'API server'
  if (shown.controllers.includes(id)) return 'controllers'
  return shown.promtool.includes(id) ? 'promtool' : undefined
}

/** What verifies the faults that none of these programs proves. */
export const elsewhere = [
  'configuration of the programs: `test/common/config.test.ts` passes invalid values to the code that reads it; `test/platform/programs.test.ts` compares the variables that the rules know with the sources; `test/images/images.services.test.ts` runs the images as the manifests do',
  'network: `npm run e2e -- policies` tests every pair of components in a cluster and compares the result with the manifests; `test/kubernetes/network/policies.test.ts` compares the evaluation of policies with the definition of the API',
  'probes, ports, scheduling and rollouts: `npm run e2e -- rollout faults gpu` in a cluster; otherwise the documentation of Kubernetes',
  'scaling: `npm run e2e -- scaling` with KEDA and the broker; otherwise the documentation of KEDA',
  'delivery and applications: `npm run e2e -- sync` with Argo CD; otherwise its documentation',
  'broker and stores: `test/gateway/outages.services.test.ts`, `test/gateway/broker.services.test.ts` and `test/worker/worker.services.test.ts` against the real RabbitMQ, Redis and Postgres; otherwise their documentation',
  'alerts: `test/alerts` evaluates every alert with promtool and compares the metrics with those that are exported',
  'security, storage, jobs, routes and secrets: the documentation of Kubernetes, of the Gateway API and of the External Secrets Operator',
]
