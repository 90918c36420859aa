import type { MutationClass } from './mutation.ts'

/** The programs that show of a mutant that its fault is one, without a cluster of nodes. `npm run mutate -- --prove` asks them. */
export type Prover = 'API server' | 'controllers' | 'promtool'

/** Classes that the API server takes and another of these programs shows. */
export const shown: Readonly<Record<Exclude<Prover, 'API server'>, readonly string[]>> = {
  // Kubernetes' own controllers make other pods, endpoints or budgets of it, or an eviction is answered otherwise.
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
    'pdb-demands-all',
    'pdb-protects-nothing',
    'job-does-nothing',
    'job-suspended',
  ],
  // `promtool check rules` refuses it, as Prometheus does.
  promtool: ['alert-syntax', 'alert-template'],
}

/** Who shows the faults of a class; undefined where that needs a kubelet, traffic, or the program itself. */
export function proverOf({ id, refused }: MutationClass): Prover | undefined {
  if (refused) return 'API server'
  if (shown.controllers.includes(id)) return 'controllers'
  return shown.promtool.includes(id) ? 'promtool' : undefined
}

/** What shows the faults that none of these programs shows. */
export const elsewhere = [
  'configuration of the programs: `test/common/config.test.ts` gives the code that reads it wrong values; `test/programs.test.ts` holds the variables that the rules know to the sources; `test/images/images.services.test.ts` runs the images as the manifests do',
  'network: `npm run e2e -- policies` tries every pair of components in a cluster and compares with what the manifests say; `test/network.test.ts` holds that verdict to the definition of the API',
  'probes, ports, scheduling and rollouts: `npm run e2e -- rollout faults gpu` in a cluster; otherwise the documentation of Kubernetes',
  'scaling: `npm run e2e -- scaling` with KEDA and the broker; otherwise the documentation of KEDA',
  'delivery and applications: `npm run e2e -- sync` with Argo CD; otherwise its documentation',
  'broker and stores: `test/gateway/outages.services.test.ts`, `test/gateway/broker.services.test.ts` and `test/worker/worker.services.test.ts` against the real RabbitMQ, Redis and Postgres; otherwise their documentation',
  'alerts: `test/alerts` evaluates every alert by promtool and compares the metrics with what is exported',
  'security, storage, jobs, routes and secrets: the documentation of Kubernetes, of the Gateway API and of the External Secrets Operator',
]
