import { parseCommandLine, runCommand } from '#cli/command-line.ts'
import { exit, UsageError } from '#cli/errors.ts'
import { classes } from '#mutate/index.ts'
import { proveClaims } from '#mutate/prove.ts'
import { reportJson, reportMarkdown, reportText } from '#mutate/report.ts'
import { checkMutants, cleanEnvironments, seedMutants } from '#mutate/run.ts'
import { rules } from '#rules/index.ts'

const usage = `usage: npm run mutate [-- --class ID…] [--format text|markdown|json] [--prove]

Seeds single faults into the rendered environments, checks each mutant, and prints what is detected and what survives, by class of fault.

  --class ID        only mutants of this class; can be repeated
  --format FORMAT   text (default), markdown (the content of docs/mutation.md) or json
  --prove           verify the claims of docs/mutation.md with one mutant per class and temporary real programs: the API server, Kubernetes'
                    controllers and promtool`

const options = {
  class: { type: 'string', multiple: true },
  format: { type: 'string', default: 'text', choices: ['text', 'markdown', 'json'] },
  prove: { type: 'boolean', default: false },
} as const

const formats = {
  text: reportText,
  markdown: reportMarkdown,
  json: reportJson,
}

await runCommand(async () => {
  const { values } = parseCommandLine(usage, options, {
    ok: 'all detected',
    findings: 'survivors, or a wrong claim with --prove',
  })
  const clean = await cleanEnvironments()
  const mutants = seedMutants(clean, chosen(values.class))
  if (values.prove) return (await proveClaims(mutants)) ? exit.ok : exit.findings
  const verdicts = await checkMutants(mutants, clean)
  process.stdout.write(formats[values.format as keyof typeof formats](verdicts, rules))
  return verdicts.every(({ killers }) => killers.length > 0) ? exit.ok : exit.findings
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
