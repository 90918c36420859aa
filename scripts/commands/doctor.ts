import { parseCommandLine, runCommand } from '#cli/command-line.ts'
import { exit } from '#cli/errors.ts'
import { type Cluster, clusterContext, connectCluster } from '#cluster/client.ts'
import { diagnose, type Problem } from '#cluster/diagnose.ts'
import { takeSnapshot } from '#cluster/snapshot.ts'

const usage = `usage: npm run doctor [-- --context NAME] [--namespace NAME]

Diagnoses a cluster: images that cannot be pulled, missing Secrets, selectors that match nothing, pods that
cannot be scheduled, quotas, policies and admission that refuse pods, probes that fail, crashes with their last log lines, scalers that
cannot read their metric, Applications that are out of sync. It only reads.

  --context NAME     a context of the kubeconfig (default ${clusterContext})
  --namespace NAME   only this namespace`

await runCommand(async () => {
  const { values } = parseCommandLine(
    usage,
    {
      context: { type: 'string', default: clusterContext },
      namespace: { type: 'string' },
    },
    { ok: 'no problems found', findings: 'something is broken' },
  )
  const cluster = await connectCluster(values.context)
  const snapshot = await takeSnapshot(cluster)
  const problems = diagnose(snapshot).filter(
    ({ namespace }) => values.namespace === undefined || namespace === values.namespace,
  )
  for (const problem of problems) process.stdout.write(`${await describe(cluster, problem)}\n`)
  const broken = problems.filter(({ state }) => state === 'broken').length
  process.stdout.write(
    problems.length === 0
      ? `${cluster.context}: ${snapshot.pods.length} pods and all that belongs to them are well.\n`
      : `${cluster.context}: ${broken} broken, ${problems.length - broken} waiting.\n`,
  )
  return broken > 0 ? exit.findings : exit.ok
})

async function describe(cluster: Cluster, problem: Problem): Promise<string> {
  const lines = [`${problem.state === 'broken' ? '✗' : '…'} ${problem.object}`, `    ${problem.what}`]
  if (problem.logs !== undefined) lines.push(...(await lastLines(cluster, problem)).map((line) => `    │ ${line}`))
  if (problem.fix !== undefined) lines.push(`    fix: ${problem.fix}`)
  return `${lines.join('\n')}\n`
}

/** The last lines that a container said, which may be gone with it. */
async function lastLines(cluster: Cluster, { namespace, logs }: Problem): Promise<string[]> {
  if (logs === undefined) return []
  const container = logs.container === '' ? [] : [`--container=${logs.container}`]
  const ask = ['--namespace', namespace, 'logs', logs.pod, '--tail=8', ...container]
  const present = () => cluster.kubectl(ask).catch((error: Error) => `(no logs: ${error.message})`)
  const said = logs.previous ? await cluster.kubectl([...ask, '--previous']).catch(present) : await present()
  const lines = said.trim().split('\n')
  return lines[0] === '' ? ['(it said nothing)'] : lines.map((line) => line.slice(0, 300))
}
