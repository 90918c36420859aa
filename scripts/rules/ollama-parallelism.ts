import { nameOf } from '#kubernetes/model/objects.ts'
import { edgesOf } from '#kubernetes/network/edges.ts'
import { scaleOf } from '#kubernetes/workloads/scalers.ts'
import { numbersOf } from '#platform/settings.ts'
import { settings } from '#rule/conventions.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'ollama-parallelism',
  category: 'scaling',
  scope: 'platform',
  severity: 'warning',
  summary:
    'At maximum scale the workers run no more concurrent jobs (CONCURRENCY) than Ollama (OLLAMA_NUM_PARALLEL per replica).',
  why: 'Excess jobs wait inside Ollama, where they can time out and no other worker can take them; in the broker they would wait safely.',
  fix: 'Lower the maximum of the scaler (maxReplicaCount, maxReplicas) or CONCURRENCY, or raise OLLAMA_NUM_PARALLEL or the replicas of Ollama.',
  needs: settings('OLLAMA_NUM_PARALLEL'),
  check(environment, report) {
    const edges = edgesOf(environment)
    for (const ollama of numbersOf(environment, 'OLLAMA_NUM_PARALLEL')) {
      const replicas = scaleOf(environment, ollama.workload).max
      const slots = ollama.number * replicas
      const workers = numbersOf(environment, 'CONCURRENCY')
        .filter(({ workload }) => edges.some(({ from, to }) => from === workload && to === ollama.workload))
        .map((setting) => ({ ...setting, max: scaleOf(environment, setting.workload).max }))
      const jobs = workers.reduce((sum, { number, max }) => sum + number * max, 0)
      const [first] = workers
      if (first === undefined || jobs <= slots) continue
      const parts = workers.map(({ workload, number, max }) => `${max} x ${number} of ${nameOf(workload.object)}`)
      report(
        first.object,
        first.path,
        `up to ${jobs} concurrent jobs (${parts.join(', ')}), but ${nameOf(ollama.workload.object)} runs ${slots} (${replicas} x ${ollama.number})`,
      )
    }
  },
})
