import { mergePatch } from '#cluster/client.ts'
import { diagnose } from '#cluster/diagnose.ts'
import { applyByKubectl } from '#cluster/kubectl.ts'
import { takeSnapshot } from '#cluster/snapshot.ts'
import { until } from '#cluster/wait.ts'
import { at, fields, strings } from '#kubernetes/model/objects.ts'
import { readDocuments } from '#manifests/documents.ts'
import { findEnvironment, render } from '#manifests/kustomize.ts'
import type { Scenario } from '../run.ts'

const own = 'inference-e2e-gpu'

export default {
  name: 'gpu',
  title: 'A pod scheduled like Ollama in prod waits for a GPU, doctor reports it, and it runs once a node has one',
  async run(run) {
    const outcome = await render(findEnvironment(run.root, 'prod'), run.root)
    if ('finding' in outcome) throw new Error(outcome.finding.message)
    const ollama = readDocuments(outcome.manifests, 'prod').objects.find(
      ({ kind, name }) => kind === 'StatefulSet' && name === 'ollama',
    )
    const spec = fields(at(ollama?.raw, 'spec', 'template', 'spec'))
    const gpus = at(spec, 'containers', 0, 'resources', 'limits', 'nvidia.com/gpu')
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'gpu', namespace: own },
      spec: {
        // What schedules it is as in prod; what runs is small.
        nodeSelector: spec.nodeSelector,
        tolerations: spec.tolerations,
        affinity: spec.affinity,
        securityContext: spec.securityContext,
        terminationGracePeriodSeconds: 0,
        containers: [
          {
            name: 'ollama',
            image: at(spec, 'containers', 0, 'image'),
            command: ['sleep', '600'],
            resources: { limits: { 'nvidia.com/gpu': gpus } },
            securityContext: at(spec, 'containers', 0, 'securityContext'),
          },
        ],
      },
    }
    const { core } = run.cluster
    await core.createNamespace({ body: { metadata: { name: own } } })
    run.cleanup(() => core.deleteNamespace({ name: own }))
    await applyByKubectl(run.cluster, JSON.stringify(pod))
    const [node] = (await core.listNode()).items
    const name = node?.metadata?.name ?? ''
    const labels = strings(spec.nodeSelector)
    const label = (wanted: Record<string, string | null>) =>
      core.patchNode({ name, body: { metadata: { labels: wanted } } }, mergePatch)
    await label(labels)
    // In a merge patch null removes.
    run.cleanup(() => label(Object.fromEntries(Object.keys(labels).map((key) => [key, null]))))
    const explained = await until(30_000, async () =>
      diagnose(await takeSnapshot(run.cluster)).some(
        ({ object, fix }) => object === `Pod ${own}/gpu` && fix?.includes('nvidia.com/gpu') === true,
      ),
    )
    run.expect('without a GPU it stays Pending, and doctor reports that a GPU is missing', explained !== undefined)
    const capacity = (operation: object) => core.patchNodeStatus({ name, body: [operation] })
    run.event('the node reports 2 GPUs')
    await capacity({ op: 'add', path: '/status/capacity/nvidia.com~1gpu', value: '2' })
    run.cleanup(() => capacity({ op: 'remove', path: '/status/capacity/nvidia.com~1gpu' }))
    const placed = await until(
      60_000,
      async () => (await core.readNamespacedPod({ namespace: own, name: 'gpu' })).status?.phase === 'Running',
    )
    run.expect('with one it runs', placed !== undefined)
    if (placed !== undefined) run.measure('GPU appears to pod running', placed / 1000, 's')
  },
} satisfies Scenario
