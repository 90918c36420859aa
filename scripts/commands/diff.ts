import { parseCommandLine, runCommand } from '#cli/command-line.ts'
import { exit } from '#cli/errors.ts'
import { showWork } from '#cli/progress.ts'
import { diff } from '#diff/diff.ts'
import { formatHtml } from '#diff/formats/html.ts'
import { formatJson } from '#diff/formats/json.ts'
import { formatMarkdown } from '#diff/formats/markdown.ts'
import { formatText } from '#diff/formats/text.ts'

const usage = `usage: npm run diff [-- <environment>… ] [--base REF] [--format text|markdown|json|html] [--no-cache]

Shows what Argo CD will do in each environment once the working tree is merged: what it creates, updates in place, restarts, replaces and
prunes, and the effect on data, the network, permissions, exposure, capacity, images and models.

  --base REF        the branch, tag or commit to compare with, at its merge base with HEAD (default: the main branch)
  --format FORMAT   text (default), markdown (fits into a pull request comment), json or html (one file)
  --no-cache        render the base again instead of using the cached render`

const formats = { text: formatText, markdown: formatMarkdown, json: formatJson, html: formatHtml }

await runCommand(async () => {
  const { values, positionals } = parseCommandLine(
    usage,
    {
      base: { type: 'string' },
      format: { type: 'string', default: 'text', choices: Object.keys(formats) },
      'no-cache': { type: 'boolean', default: false },
    },
    { positionals: true, ok: 'compared', findings: 'a side does not render, or the merge adds errors to the check' },
  )
  const found = await showWork('comparing', () =>
    diff({ base: values.base, environments: positionals, cache: !values['no-cache'] }),
  )
  process.stdout.write(formats[values.format as keyof typeof formats](found))
  const errors = found.environments.some(
    ({ broken, findings }) => broken !== undefined || findings.added.some(({ severity }) => severity === 'error'),
  )
  return errors ? exit.findings : exit.ok
})
