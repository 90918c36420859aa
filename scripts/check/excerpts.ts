import type { Finding } from '#kubernetes/model/finding.ts'

/** Longer lines are cut: nobody reads them, and a report should not grow with a minified file. */
const maxLength = 400

/**
 * Adds to each finding the line it points at. A line that may hold a credential stays out: reports are kept in the logs of CI, which more people
 * read than the repository.
 * @param contentOf the content of a file; undefined when it cannot be read
 * @param all every finding of the target, shown or exempted: some say which lines hold credentials
 */
export function addExcerpts(
  findings: readonly Finding[],
  contentOf: (file: string) => string | undefined,
  all: readonly Finding[] = findings,
): readonly Finding[] {
  if (findings.length === 0) return findings
  const lines = new Map<string, readonly string[]>()
  const linesOf = (file: string) => {
    const known = lines.get(file) ?? contentOf(file)?.split(/\r?\n/) ?? []
    lines.set(file, known)
    return known
  }
  const secret = new Set(all.filter(isSecret).map(placeOf))
  return findings.map((finding) => {
    const { source } = finding
    if (source === undefined || secret.has(placeOf(finding))) return finding
    const line = linesOf(source.file)[source.line - 1]
    if (line === undefined || line.trim() === '') return finding
    return { ...finding, source: { ...source, text: line.slice(0, maxLength) } }
  })
}

function isSecret({ rule, object }: Finding): boolean {
  return rule === 'secret-in-plain-sight' || object?.startsWith('Secret ') === true
}

function placeOf({ source }: Finding): string {
  return `${source?.file}:${source?.line}`
}
