import { until } from '../../scripts/lib/cluster/argo.ts'
import { at, type KubeObject } from '../../scripts/lib/objects.ts'
import { isReady, namespace, pause, podsNamed, type Run, type Scenario, settle, startClient } from './run.ts'

const components = ['gateway', 'worker', 'collector', 'rabbitmq', 'redis', 'postgres', 'ollama']

export default {
  name: 'faults',
  title: 'Every component is killed under load; nothing accepted is lost',
  async run(run) {
    const client = startClient(run, { perSecond: 15, retry: true })
    await until(60_000, async () => (await podsNamed(run, 'worker')).some(isReady), 500)
    for (const component of components) {
      await kill(run, component)
      await pause(3000)
    }
    const ledger = await client.stop()
    run.event('load ends')
    for (const [kind, count] of ledger.refused) run.event(`${count} × ${kind}`)
    await settle(run, ledger, 180_000)
  },
} satisfies Scenario

async function kill(run: Run, component: string): Promise<void> {
  const before = await podsNamed(run, component)
  const victim = before.find(isReady)
  if (victim === undefined) return run.expect(`${component} has a pod to kill`, false)
  run.event(`kill ${component}`)
  // Grace 0 is SIGKILL: no drain, no goodbye.
  await run.cluster.kubectl([
    `--namespace=${namespace}`,
    'delete',
    'pod',
    victim.name,
    '--grace-period=0',
    '--force',
    '--wait=false',
  ])
  // Another replica that is ready does not count: the place of the one that was killed has to be taken.
  const known = new Set(before.map(uidOf))
  const back = await until(120_000, async () =>
    (await podsNamed(run, component)).some((pod) => !known.has(uidOf(pod)) && isReady(pod)),
  )
  run.expect(`${component} comes back`, back !== undefined)
  if (back !== undefined) run.measure(`${component} killed to ready again`, back / 1000, 's', 10)
  run.event(`${component} is back`)
}

function uidOf({ raw }: KubeObject): string {
  return String(at(raw, 'metadata', 'uid'))
}
