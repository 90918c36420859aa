import type { CheckResult } from '#check/result.ts'
import { UsageError } from '#cli/errors.ts'
import { printableDeep } from '#text/printable.ts'

/** Turns a result into a report. Its strings are printable: a reporter only has to escape what its own format treats specially. */
type Reporter = (result: CheckResult) => string

/** Each format's reporter, loaded on demand so that the text appears faster. */
const reporters: Readonly<Record<string, () => Promise<Reporter>>> = {
  text: async () => (await import('./text.ts')).reportText,
  json: async () => (await import('./json.ts')).reportJson,
  sarif: async () => (await import('./sarif.ts')).reportSarif,
  junit: async () => (await import('./junit.ts')).reportJunit,
  github: async () => (await import('./github.ts')).reportGithub,
  markdown: async () => (await import('./markdown.ts')).reportMarkdown,
  html: async () => (await import('./html.ts')).reportHtml,
}

/** The names of the formats. */
export const formats: readonly string[] = Object.keys(reporters)

/**
 * The reporter of a format.
 * @throws UsageError when there is no such format
 */
export async function reporter(format: string): Promise<Reporter> {
  const load = Object.hasOwn(reporters, format) ? reporters[format] : undefined
  if (load === undefined) throw new UsageError(`unknown format "${format}"; expected one of ${formats.join(', ')}`)
  const report = await load()
  return (result) => report(printableDeep(result))
}
