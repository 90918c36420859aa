import { writeFileSync } from 'node:fs'
import { inputsKey, readCached, writeCached } from '#check/result-cache.ts'
import { parseCommandLine, runCommand } from '#cli/command-line.ts'
import { exit, UsageError } from '#cli/errors.ts'
import { home, root, typedPath } from '#cli/paths.ts'
import { showWork } from '#cli/progress.ts'
import { formats, reporter } from '#reporters/report.ts'

const usage = `usage: npm run check [-- <environment>… | --kustomize DIR… | --file FILE|DIR|GLOB|-…] [options]
       npm run check -- --explain RULE

Renders the environments (all of them by default), validates every object against the schemas of a real API server
and checks each environment as a whole against the rules.

  --kustomize DIR   check the kustomization in a folder of any repository; may be repeated
  --file FILE       check a file of manifests, or standard input with -; may be repeated. Of a folder, or of a quoted
                    glob, all .yaml, .yml and .json files are checked together; folders with a kustomization are rendered
  --admit           also validate every object with a temporary local kube-apiserver (server-side dry run)
  --format FORMAT   ${formats.join(', ')} (default text)
  --output FILE     write the report to FILE; the text still goes to stdout
  --connections     also print the connections between components, and which of them the NetworkPolicies allow
  --no-cache        ignore the cached result
  --explain RULE    print why the rule exists, a failing and a passing example, and the fix`

const options = {
  kustomize: { type: 'string', multiple: true },
  file: { type: 'string', multiple: true },
  admit: { type: 'boolean', default: false },
  format: { type: 'string', default: 'text', choices: formats },
  output: { type: 'string' },
  connections: { type: 'boolean', default: false },
  'no-cache': { type: 'boolean', default: false },
  explain: { type: 'string' },
} as const

await runCommand(async () => {
  const { values, positionals } = parseCommandLine(usage, options, {
    positionals: true,
    ok: 'passed',
    findings: 'findings',
  })
  if (values.explain !== undefined) {
    const { explain, explanationText } = await import('#ruleset/explain.ts')
    const { renamedNote } = await import('#ruleset/catalog.ts')
    const explanation = explain(values.explain, home)
    if (explanation.id !== values.explain)
      process.stderr.write(`note: ${renamedNote(values.explain, explanation.id)}\n`)
    process.stdout.write(explanationText(explanation))
    return exit.ok
  }
  const report = await reporter(values.format)
  const ways = [positionals.length > 0, values.file !== undefined, values.kustomize !== undefined]
  if (ways.filter(Boolean).length > 1)
    throw new UsageError(`expected only one of: environments, --kustomize, --file\n\n${usage}`)

  if (values.connections && values.format !== 'text' && values.output === undefined)
    throw new UsageError(`--connections appends to the text output; with --format ${values.format} add --output FILE`)

  // The page draws the environment that the rules checked, which is not cached.
  const map = values.format === 'html' || values.connections
  const isOwn = values.file === undefined && values.kustomize === undefined
  const key = isOwn && !values.admit && !values['no-cache'] && !map ? inputsKey(root, positionals) : undefined
  const cached = key && readCached(root, key)
  // The rest is loaded only when there is something to check.
  const result =
    cached ||
    (await showWork('checking', async () => {
      const { check } = await import('#check/check.ts')
      return check({ environments: positionals, ...values, map })
    }))
  if (key && !cached) writeCached(root, key, result)
  for (const note of result.notes ?? []) process.stderr.write(`note: ${note}\n`)
  if (values.output !== undefined) writeReport(values.output, report(result))
  const shown = values.output === undefined ? report : await reporter('text')
  process.stdout.write(shown(result))
  if (values.connections) process.stdout.write((await import('#reporters/connections.ts')).reportConnections(result))
  if (cached && (values.format === 'text' || values.output !== undefined))
    process.stdout.write('Using the cached result: no inputs changed. --no-cache runs the check again.\n')
  return result.targets.some(({ findings }) => findings.length > 0) ? exit.findings : exit.ok
})

function writeReport(file: string, content: string): void {
  try {
    writeFileSync(typedPath(file), content)
  } catch (error) {
    throw new UsageError(`the report cannot be written: ${(error as Error).message}`)
  }
}
