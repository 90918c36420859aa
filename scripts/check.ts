import { inputsKey, readCached, writeCached } from './lib/cache.ts'
import type { CheckResult } from './lib/check.ts'
import { parseCommandLine, runCommand } from './lib/cli.ts'
import { exit, UsageError } from './lib/errors.ts'
import { reportJson } from './lib/reporters/json.ts'
import { reportText } from './lib/reporters/text.ts'
import { root } from './lib/root.ts'

const usage = `usage: npm run check [-- <environment>… | --kustomize DIR | --file FILE.yaml|-] [--admit] [--format text|json]

Renders the environments (all of them by default), checks every object against the schemas of a real API server
and the whole of each environment against the rules.

  --kustomize DIR   check the kustomization in any folder
  --file FILE       check a file of manifests, or standard input with -
  --admit           also ask a real API server, started for the moment on this machine, to admit every object
  --format FORMAT   text (default) or json
  --no-cache        check again even though nothing has changed

exit code: 0 right, 1 findings, 2 wrong use or configuration, 3 a fault of the tool`

const options = {
  kustomize: { type: 'string' },
  file: { type: 'string' },
  admit: { type: 'boolean', default: false },
  format: { type: 'string', default: 'text' },
  'no-cache': { type: 'boolean', default: false },
} as const

const reporters: Record<string, (result: CheckResult) => string> = { text: reportText, json: reportJson }

await runCommand(async () => {
  const { values, positionals } = parseCommandLine(usage, options)
  const report = Object.hasOwn(reporters, values.format) ? reporters[values.format] : undefined
  if (report === undefined)
    throw new UsageError(`unknown format "${values.format}"; expected ${Object.keys(reporters).join(' or ')}`)
  const ways = [positionals.length > 0, values.file !== undefined, values.kustomize !== undefined]
  if (ways.filter(Boolean).length > 1)
    throw new UsageError(`give environments, --kustomize or --file, only one of them\n\n${usage}`)

  const cacheable = values.file === undefined && values.kustomize === undefined && !values.admit && !values['no-cache']
  const key = cacheable ? inputsKey(root, positionals) : undefined
  const cached = key && readCached(root, key)
  // The rest is loaded only when there is something to check.
  const result = cached || (await (await import('./lib/check.ts')).check({ environments: positionals, ...values }))
  if (key && !cached) writeCached(root, key, result)
  process.stdout.write(report(result))
  if (cached && values.format === 'text')
    process.stdout.write('Nothing has changed since the last check; this is its result.\n')
  return result.targets.some(({ findings }) => findings.length > 0) ? exit.findings : exit.right
})
