import type { TargetResult } from '#check/result.ts'
import type { Finding } from '#kubernetes/model/finding.ts'
import { plural } from '#text/plural.ts'

/** `2 errors, 1 warning`; `passed` where there is none. */
export function verdict(findings: readonly Finding[]): string {
  const errors = findings.filter(({ severity }) => severity === 'error').length
  const warnings = findings.length - errors
  const parts = [errors > 0 && plural(errors, 'error'), warnings > 0 && plural(warnings, 'warning')]
  return parts.filter(Boolean).join(', ') || 'passed'
}

/** Findings by object, in the order of the first finding of each. */
export function groupByObject(findings: readonly Finding[]): Map<string, Finding[]> {
  const groups = new Map<string, Finding[]>()
  for (const finding of findings) {
    const group = groups.get(finding.object ?? '')
    if (group === undefined) groups.set(finding.object ?? '', [finding])
    else group.push(finding)
  }
  return groups
}

/** The rules that were skipped for a target, by the precondition that is missing. */
export function skippedRules({ switchedOff }: TargetResult): Map<string, string[]> {
  const byLack = new Map<string, string[]>()
  for (const { rule, lacks } of switchedOff) byLack.set(lacks, [...(byLack.get(lacks) ?? []), rule])
  return byLack
}
