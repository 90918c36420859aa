import { parseCommandLine, runCommand } from '#cli/command-line.ts'
import { exit, UsageError } from '#cli/errors.ts'
import { classes } from '#mutate/index.ts'
import { proveClaims } from '#mutate/prove.ts'
import { reportJson, reportMarkdown, reportText } from '#mutate/report.ts'
import { checkMutants, cleanEnvironments, seedMutants } from '#mutate/run.ts'
import { rules } from '#rules/index.ts'

const usage = `usage: npm run mutate [-- --class ID…] [--format text|markdown|json] [--prove]

Seeds single faults into the rendered environments, checks each mutant, and prints what is detected, by class of fault, and what survives.

  --class ID        only mutants of this class; may stand several times
  --format FORMAT   text (default), markdown (the content of docs/mutation.md) or json
  --prove           give one mutant of every class to the real programs, started for the moment: the API server refuses those that are said to
                    be refused and takes the others; Kubernetes' controllers and promtool show those that are said to be shown by them

exit code: 0 all detected, 1 survivors or a wrong claim, 2 wrong use or configuration, 3 a fault of the tool`

const options = {
  class: { type: 'string', multiple: true },
  format: { type: 'string', default: 'text' },
  prove: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h' },
} as const

const formats: Readonly<Record<string, typeof reportText>> = {
  text: reportText,
  markdown: reportMarkdown,
  json: reportJson,
}

await runCommand(async () => {
  const { values } = parseCommandLine(usage, options)
  if (values.help) {
    process.stdout.write(`${usage}\n`)
    return exit.right
  }
  const format = Object.hasOwn(formats, values.format) ? formats[values.format] : undefined
  if (format === undefined)
    throw new UsageError(`unknown format "${values.format}"; expected ${Object.keys(formats).join(', ')}`)
  const clean = await cleanEnvironments()
  const mutants = seedMutants(clean, chosen(values.class))
  if (values.prove) return (await proveClaims(mutants)) ? exit.right : exit.findings
  const verdicts = await checkMutants(mutants, clean)
  process.stdout.write(format(verdicts, rules))
  return verdicts.every(({ killers }) => killers.length > 0) ? exit.right : exit.findings
})

function chosen(ids: readonly string[] | undefined) {
  if (ids === undefined) return classes
  return ids.map((id) => {
    const found = classes.find((each) => each.id === id)
    if (found === undefined)
      throw new UsageError(`unknown class "${id}"; \`npm run mutate -- --format markdown\` lists them all`)
    return found
  })
}
