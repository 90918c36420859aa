import { type CheckResult, checkFile, checkKustomizations, type Rendered } from './lib/check.ts'
import { parseCommandLine, runCommand } from './lib/cli.ts'
import type { CheckConfig } from './lib/config.ts'
import { exit, UsageError } from './lib/errors.ts'
import { readInput } from './lib/input.ts'
import { environment, environments, kustomizationTarget } from './lib/kustomize.ts'
import { checkVersions, readConfig } from './lib/own-files.ts'
import { reportJson } from './lib/reporters/json.ts'
import { reportText } from './lib/reporters/text.ts'

const usage = `usage: npm run check [-- <environment>… | --kustomize DIR | --file FILE.yaml|-] [--format text|json]

Renders the environments (all of them by default), checks every object against the schemas of a real API server
and the whole of each environment against the rules.

  --kustomize DIR   check the kustomization in any folder
  --file FILE       check a file of manifests, or standard input with -
  --format FORMAT   text (default) or json

exit code: 0 right, 1 findings, 2 wrong use or configuration, 3 a fault of the tool`

const options = {
  kustomize: { type: 'string' },
  file: { type: 'string' },
  format: { type: 'string', default: 'text' },
  help: { type: 'boolean', short: 'h' },
} as const

interface Checked {
  readonly result: CheckResult
  readonly rendered: readonly Rendered[]
}

const reporters: Record<string, (result: CheckResult) => string> = { text: reportText, json: reportJson }

await runCommand(async () => {
  const root = process.cwd()
  const { values, positionals } = parseCommandLine(usage, options)
  if (values.help) {
    process.stdout.write(`${usage}\n`)
    return exit.right
  }
  const report = reporters[values.format]
  if (report === undefined)
    throw new UsageError(`unknown format "${values.format}"; expected ${Object.keys(reporters).join(' or ')}`)
  const config = readConfig(root)
  let checked: Checked
  if (values.file !== undefined) {
    forbid(positionals, values.kustomize !== undefined)
    checked = await checkFile(values.file === '-' ? '<stdin>' : values.file, readInput(values.file), root, config)
  } else if (values.kustomize !== undefined) {
    forbid(positionals, false)
    checked = await checkKustomizations([kustomizationTarget(values.kustomize)], root, config)
  } else {
    checked = await checkEnvironments(positionals, root, config)
  }
  process.stdout.write(report(checked.result))
  return checked.result.targets.some(({ findings }) => findings.length > 0) ? exit.findings : exit.right
})

async function checkEnvironments(names: readonly string[], root: string, config: CheckConfig): Promise<Checked> {
  const targets = names.length === 0 ? environments(root) : names.map((name) => environment(root, name))
  if (targets.length === 0)
    throw new UsageError('there is no environment: no folder of overlays/ holds a kustomization.yaml')
  const own = targets.map((target) => checkVersions(target, root))
  const { result, rendered } = await checkKustomizations(targets, root, config)
  const merged = result.targets.map((target, index) => ({
    ...target,
    findings: [...(own[index] ?? []), ...target.findings],
  }))
  return { result: { ...result, targets: merged }, rendered }
}

function forbid(positionals: readonly string[], both: boolean): void {
  if (positionals.length > 0 || both)
    throw new UsageError(`give environments, --kustomize or --file, only one of them\n\n${usage}`)
}
