import { parseCommandLine, runCommand } from '#cli/command-line.ts'
import { exit } from '#cli/errors.ts'
import { type Cluster, clusterContext, connectCluster } from '#cluster/client.ts'
import { diagnose, type Problem } from '#cluster/diagnose.ts'
import { lastLogLines, podOfJob } from '#cluster/pods.ts'
import { takeSnapshot } from '#cluster/snapshot.ts'

const usage = `usage: npm run doctor [-- --context NAME] [--namespace NAME]

Diagnoses a cluster: images that cannot be pulled, missing Secrets, selectors that match nothing, pods that are not scheduled,
quotas, policies and admission that refuse pods, probes that fail, crashes with their last log lines, scalers that cannot read
their metric, Applications that are not in sync. It only reads.

  --context NAME     a context of the kubeconfig (default ${clusterContext})
  --namespace NAME   only this namespace`

/** Lines of a log that are shown. */
const shownLines = 8

await runCommand(async () => {
  const { values } = parseCommandLine(
    usage,
    {
      context: { type: 'string', default: clusterContext },
      namespace: { type: 'string' },
    },
    { ok: 'no problems found', findings: 'something is broken' },
  )
  const cluster = connectCluster(values.context)
  const snapshot = await takeSnapshot(cluster)
  const problems = diagnose(snapshot).filter(
    ({ namespace }) => values.namespace === undefined || namespace === values.namespace,
  )
  for (const problem of problems) process.stdout.write(`${await describe(cluster, problem)}\n`)
  const broken = problems.filter(({ state }) => state === 'broken').length
  process.stdout.write(
    problems.length === 0
      ? `${cluster.context}: ${snapshot.pods.length} pods checked, no problems found.\n`
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

/** The last lines of the log that explains a problem; the container may be gone with it. */
async function lastLines(cluster: Cluster, { namespace, logs }: Problem): Promise<string[]> {
  if (logs === undefined) return []
  const log = await readLog(cluster, namespace, logs).catch((error: Error) => `(no logs: ${error.message})`)
  if (log === '') return ['(no log output)']
  return log.split('\n').map((line) => line.slice(0, 300))
}

async function readLog(cluster: Cluster, namespace: string, logs: NonNullable<Problem['logs']>): Promise<string> {
  if ('job' in logs) {
    const pod = await podOfJob(cluster, namespace, logs.job)
    return pod === undefined ? '(no logs: its pods are gone)' : lastLogLines(cluster, namespace, pod, shownLines)
  }
  const { pod, container, previous } = logs
  const current = () => lastLogLines(cluster, namespace, pod, shownLines, container)
  return previous ? lastLogLines(cluster, namespace, pod, shownLines, container, true).catch(current) : current()
}
