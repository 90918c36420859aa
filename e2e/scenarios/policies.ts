import { execute } from '#cluster/pods.ts'
import { createEnvironment } from '#kubernetes/model/environment.ts'
import { at, text } from '#kubernetes/model/objects.ts'
import { connection, endpointOf, servingPorts } from '#kubernetes/network/policies.ts'
import { readDocuments } from '#manifests/documents.ts'
import { findEnvironment, render } from '#manifests/kustomize.ts'
import { isReady, podsNamed, untilReady } from '../cluster.ts'
import { call } from '../gateway.ts'
import { namespace, type Run, type Scenario } from '../run.ts'

const components = ['gateway', 'worker', 'collector', 'ollama', 'rabbitmq', 'redis', 'postgres']

/** A connection from one component to a port of another, and whether the manifests allow it. */
interface Attempt {
  readonly to: string
  readonly address: string
  readonly port: number
  readonly allowed: boolean
}

export default {
  name: 'policies',
  title:
    'Each pair of components connects if and only if the manifests allow it; Pod Security and the Secrets of each are enforced',
  async run(run) {
    await keepWorker(run)
    const outcome = await render(findEnvironment(run.root, 'kind'), run.root)
    if ('finding' in outcome) throw new Error(outcome.finding.message)
    const rendered = createEnvironment('kind', readDocuments(outcome.manifests, 'kind').objects)
    const workloads = new Map(rendered.workloads.map((workload) => [workload.object.name, workload]))
    let tested = 0
    const wrong: string[] = []
    for (const from of components) {
      const client = workloads.get(from)
      const [pod] = (await podsNamed(run, from)).filter(isReady)
      if (client === undefined || pod === undefined) return run.expect(`${from} has a ready pod to test from`, false)
      const attempts: Attempt[] = []
      for (const to of components.filter((name) => name !== from)) {
        const server = workloads.get(to)
        const [target] = (await podsNamed(run, to)).filter(isReady)
        if (server === undefined || target === undefined) continue
        for (const { port } of servingPorts(server)) {
          const { verdict } = connection(rendered, endpointOf(client), endpointOf(server), {
            number: port,
            protocol: 'TCP',
          })
          attempts.push({
            to,
            address: text(at(target.raw, 'status', 'podIP')) ?? '',
            port,
            allowed: verdict === 'allowed',
          })
        }
      }
      const connected = await connects(run, pod.name, from, attempts)
      tested += attempts.length
      for (const [index, { to, port, allowed }] of attempts.entries())
        if (connected[index] !== allowed)
          wrong.push(
            `${from} → ${to}:${port} ${connected[index] ? 'connects, but is not allowed' : 'is allowed, but does not connect'}`,
          )
    }
    run.measure('pairs tested', tested, '')
    run.expect(
      'every allowed pair connects and every other is refused',
      tested > 0 && wrong.length === 0,
      wrong.join('; '),
    )
    await podSecurity(run)
  },
} satisfies Scenario

/** There is a worker only while there is work. */
async function keepWorker(run: Run): Promise<void> {
  const feed = setInterval(
    () => void call(run, '/api/v1/inference', { prompt: 'Soup?', maxTokens: 8 }).catch(() => {}),
    500,
  )
  run.cleanup(async () => clearInterval(feed))
  await untilReady(run, 'worker', 60_000)
}

/** Makes all connections at the same time from inside a pod, with what its image has: Node, or bash. */
async function connects(run: Run, pod: string, component: string, attempts: readonly Attempt[]): Promise<boolean[]> {
  const isNode = ['gateway', 'worker', 'collector'].includes(component)
  const targets = attempts.map(({ address, port }) => `${address} ${port}`)
  const script = isNode
    ? `const t=${JSON.stringify(targets)};const n=require('net');Promise.all(t.map(x=>new Promise(r=>{const[h,p]=x.split(' ');const s=n.connect(+p,h);s.setTimeout(3000,()=>{s.destroy();r(0)});s.on('connect',()=>{s.destroy();r(1)});s.on('error',()=>r(0))}))).then(r=>console.log(r.join(' ')))`
    : `r=(); i=0; d=$(mktemp -d); ${attempts.map(({ address, port }, index) => `(timeout 3 bash -c '</dev/tcp/${address}/${port}' 2>/dev/null && echo 1 >$d/${index} || echo 0 >$d/${index}) &`).join(' ')} wait; for i in $(seq 0 ${attempts.length - 1}); do cat $d/$i; done; rm -r $d`
  const command = isNode ? ['node', '-e', script] : ['bash', '-c', script]
  const printed = await execute(run.cluster, namespace, pod, component, command)
  return printed
    .trim()
    .split(/\s+/)
    .map((answer) => answer === '1')
}

async function podSecurity(run: Run): Promise<void> {
  const body = {
    metadata: { name: 'privileged' },
    spec: { containers: [{ name: 'any', image: 'any', securityContext: { privileged: true } }] },
  }
  const answer = await run.cluster.core
    .createNamespacedPod({ namespace, body, dryRun: 'All' })
    .catch((error: Error) => error)
  run.expect(
    'a privileged pod is refused',
    answer instanceof Error && answer.message.includes('violates PodSecurity'),
    String(answer).slice(0, 200),
  )
  for (const component of components) {
    const [found] = (await podsNamed(run, component)).filter(isReady)
    const mounted = JSON.stringify(at(found?.raw, 'spec', 'volumes') ?? []).matchAll(/"secretName":"([^"]+)"/g)
    const foreign = [...mounted].map(([, name]) => name ?? '').filter((name) => !name.startsWith(component))
    run.expect(`${component} reads no Secret but its own`, foreign.length === 0, foreign.join(', '))
    const token = JSON.stringify(at(found?.raw, 'spec', 'volumes') ?? []).includes('serviceAccountToken')
    run.expect(`${component} has no token for the API server`, !token)
  }
}
