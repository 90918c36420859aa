import { until } from '#cluster/argo.ts'
import { diagnose } from '#cluster/diagnose.ts'
import { takeSnapshot } from '#cluster/snapshot.ts'
import { at, fields } from '#kubernetes/model/objects.ts'
import { readDocuments } from '#manifests/documents.ts'
import { findEnvironment, render } from '#manifests/kustomize.ts'
import type { Scenario } from './run.ts'

const own = 'inference-e2e-gpu'

export default {
  name: 'gpu',
  title: 'A pod placed as prod places Ollama waits for a GPU, says so, and runs once a node has one',
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
        // What places it is prod's; what runs is small.
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
    await run.cluster.kubectl(['create', 'namespace', own])
    run.cleanup(() => run.cluster.kubectl(['delete', 'namespace', own, '--wait=false']))
    await run.cluster.kubectl(['apply', '--filename=-'], JSON.stringify(pod))
    const [node] = await run.cluster.list('/api/v1/nodes')
    const name = node?.name ?? ''
    const labels = Object.entries(fields(spec.nodeSelector)).map(([key, value]) => `${key}=${value}`)
    if (labels.length > 0) {
      await run.cluster.kubectl(['label', 'node', name, '--overwrite', ...labels])
      run.cleanup(() =>
        run.cluster.kubectl(['label', 'node', name, ...labels.map((label) => `${label.split('=')[0]}-`)]),
      )
    }
    const said = await until(30_000, async () =>
      diagnose(await takeSnapshot(run.cluster)).some(
        ({ object, fix }) => object === `Pod ${own}/gpu` && fix?.includes('nvidia.com/gpu') === true,
      ),
    )
    run.expect('without a GPU it stays Pending, and doctor says that a GPU is missing', said !== undefined)
    const capacity = (operation: object) =>
      run.cluster.kubectl([
        'patch',
        'node',
        name,
        '--subresource=status',
        '--type=json',
        `--patch=${JSON.stringify([operation])}`,
      ])
    run.event('the node says that it has 2 GPUs')
    await capacity({ op: 'add', path: '/status/capacity/nvidia.com~1gpu', value: '2' })
    run.cleanup(() => capacity({ op: 'remove', path: '/status/capacity/nvidia.com~1gpu' }))
    const placed = await until(
      60_000,
      async () => at(await run.cluster.get(`/api/v1/namespaces/${own}/pods/gpu`), 'status', 'phase') === 'Running',
    )
    run.expect('with one it runs', placed !== undefined)
    if (placed !== undefined) run.measure('GPU appears to pod running', placed / 1000, 's')
  },
} satisfies Scenario
