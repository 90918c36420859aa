import type { CheckResult } from '#check/result.ts'
import { type Finding, formatPath } from '#kubernetes/model/finding.ts'
import { verdict } from './summary.ts'

/** The result as workflow commands of GitHub Actions, which annotate the lines of a pull request with the findings. */
export function reportGithub(result: CheckResult): string {
  const lines = result.targets.flatMap(({ findings }) => findings.map(toCommand))
  for (const { target, findings, exempted } of result.targets) {
    const exemptions = exempted.length === 0 ? '' : `, ${exempted.length} exempted`
    // A line that starts with the name of a target could be parsed as a command.
    lines.push(`check of ${data(target)}: ${verdict(findings)}${exemptions}`)
  }
  return `${lines.join('\n')}\n`
}

function toCommand({ rule, severity, target, object, path = [], message, fix, source }: Finding): string {
  const isFile = source !== undefined && !source.file.startsWith('<')
  const place = isFile ? [`file=${property(source.file)}`, `line=${source.line}`] : []
  if (isFile && source.column !== undefined) place.push(`col=${source.column}`)
  const properties = [...place, `title=${property(rule)}`].join(',')
  const subject = [target, object, formatPath(path)].filter(Boolean).join(' ')
  return `::${severity} ${properties}::${data(`${subject}: ${message}\n${fix}`)}`
}

/** Source of the escapes: escapeData and escapeProperty of github.com/actions/toolkit. */
function data(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}

function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
}
