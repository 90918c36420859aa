import { parseCommandLine, runCommand } from '#cli/command-line.ts'
import { exit, UsageError } from '#cli/errors.ts'
import { root } from '#cli/paths.ts'
import { connectCluster } from '#cluster/client.ts'
import { createSecrets } from '#cluster/secrets.ts'

const usage = `usage: npm run secrets -- <environment> [--context NAME]

Creates the Secrets that an environment without a secret store reads, in the cluster of the current kubectl context.
Those that exist stay as they are, so it can be run again; passwords come from the Secret "bootstrap-seed", which the first run creates.

  --context NAME   another context of the kubeconfig`

await runCommand(async () => {
  const { values, positionals } = parseCommandLine(usage, { context: { type: 'string' } }, { positionals: true })
  const [name, ...more] = positionals
  if (name === undefined || more.length > 0) throw new UsageError(`expected one environment\n\n${usage}`)
  const cluster = connectCluster(values.context)
  process.stdout.write(`Cluster: ${cluster.context}\n`)
  for (const secret of await createSecrets(root, name, cluster))
    process.stdout.write(`Secret ${secret.name} ${secret.created ? 'created' : 'exists already'}\n`)
  return exit.ok
})
