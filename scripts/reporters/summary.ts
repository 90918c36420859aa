import type { TargetResult } from '#check/result.ts'
import { push } from '#kubernetes/model/collections.ts'
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
  for (const finding of findings) push(groups, finding.object ?? '', finding)
  return groups
}

/** The names of the skipped rules, by the precondition that is not met. */
export function skippedByNeed({ skippedRules }: TargetResult): Map<string, string[]> {
  const byNeed = new Map<string, string[]>()
  for (const { rule, needs } of skippedRules) push(byNeed, needs, rule)
  return byNeed
}
