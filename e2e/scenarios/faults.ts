import { setTimeout as pause } from 'node:timers/promises'
import { runInNode } from '#cluster/kind.ts'
import { podsOf, watchUntil } from '#cluster/wait.ts'
import { at, items, type KubeObject, number, text } from '#kubernetes/model/objects.ts'
import { isReady, podsNamed, untilReady } from '../cluster.ts'
import { settle, startClient } from '../gateway.ts'
import { namespace, type Run, type Scenario } from '../run.ts'

const components = ['gateway', 'worker', 'collector', 'rabbitmq', 'redis', 'postgres', 'ollama']

export default {
  name: 'faults',
  title: 'Every component is killed under load; nothing accepted is lost',
  async run(run) {
    const client = startClient(run, { perSecond: 12, retry: true })
    for (const component of components) {
      await kill(run, component)
      await pause(1000)
    }
    const ledger = await client.stop()
    run.event('load ends')
    for (const [kind, count] of ledger.refused) run.event(`${count} × ${kind}`)
    await settle(run, ledger, 180_000)
  },
} satisfies Scenario

/**
 * Ends a component's process with SIGKILL: no drain, no goodbye. The pod stays and its container is restarted. (A pod that is deleted by force is
 * another thing: its place is taken while its process may still run, and two databases on one volume lose what was committed.)
 */
async function kill(run: Run, component: string): Promise<void> {
  // Workers come and go with the queue.
  await untilReady(run, component, 60_000)
  const victim = (await podsNamed(run, component)).find(isReady)
  if (victim === undefined) return run.expect(`${component} has a pod to kill`, false)
  const before = containerOf(victim, component)
  const template = ['--output', 'go-template', '--template', '{{.info.pid}}']
  const process = await runInNode(run.engine, 'crictl', 'inspect', ...template, before.id)
  run.event(`kill ${component}`)
  await runInNode(run.engine, 'kill', '-9', process)
  const back = await watchUntil(run.cluster, podsOf(run.cluster, namespace, component), 120_000, (pods) => {
    const pod = pods.find(({ name }) => name === victim.name)
    return pod !== undefined && isReady(pod) && containerOf(pod, component).restarts > before.restarts
  })
  run.expect(`${component} comes back`, back !== undefined)
  if (back !== undefined) run.measure(`${component} killed to ready again`, back / 1000, 's', 10)
  run.event(`${component} is back`)
}

function containerOf({ raw }: KubeObject, name: string): { id: string; restarts: number } {
  const status = items(at(raw, 'status', 'containerStatuses')).find((entry) => at(entry, 'name') === name)
  const id = (text(at(status, 'containerID')) ?? '').replace('containerd://', '')
  return { id, restarts: number(at(status, 'restartCount')) ?? 0 }
}
