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

/** A rule that was skipped for a target because its precondition is not met. */
export interface SkippedRule {
  readonly rule: string
  /** What the rule needs: `a program that reads CHAT_MODEL`. */
  readonly needs: string
}

/** The rules that were skipped for a target. */
export function skippedRules({ switchedOff }: TargetResult): SkippedRule[] {
  return switchedOff.map(({ rule, lacks }) => ({ rule, needs: lacks }))
}

/** The names of the skipped rules, by the precondition that is not met. */
export function skippedByNeed(result: TargetResult): Map<string, string[]> {
  const byNeed = new Map<string, string[]>()
  for (const { rule, needs } of skippedRules(result)) byNeed.set(needs, [...(byNeed.get(needs) ?? []), rule])
  return byNeed
}
