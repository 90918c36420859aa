import { parseCommandLine, runCommand } from '#cli/command-line.ts'
import { exit, UsageError } from '#cli/errors.ts'
import { root } from '#cli/paths.ts'
import { formatSource } from '#kubernetes/model/finding.ts'
import { environments, findEnvironment, render } from '#manifests/kustomize.ts'

const usage = `usage: npm run render -- <environment>

Prints the manifests of an environment as Argo CD would apply them.`

await runCommand(async () => {
  const { positionals } = parseCommandLine(
    usage,
    {},
    { positionals: true, ok: 'rendered', findings: 'the environment does not render' },
  )
  const [name, ...more] = positionals
  if (name === undefined || more.length > 0) {
    const names = environments(root).map((target) => target.name)
    throw new UsageError(`expected one environment of ${names.join(', ')}\n\n${usage}`)
  }
  const outcome = await render(findEnvironment(root, name), root)
  if ('manifests' in outcome) {
    process.stdout.write(outcome.manifests)
    return exit.ok
  }
  const { message, source } = outcome.finding
  process.stderr.write(`error: ${source ? `${formatSource(source)}: ` : ''}${message}\n`)
  return exit.findings
})
