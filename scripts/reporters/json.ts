import type { CheckResult } from '#check/result.ts'
import { type Finding, formatPath } from '#kubernetes/model/finding.ts'

/**
 * The result for programs, as described by `json.schema.json`. `version` increases when a field changes its meaning or is removed.
 * `switchedOff` is the former name of `skippedRules`, deprecated, and will be removed in the next version.
 */
export function reportJson(result: CheckResult): string {
  const { notices = [] } = result
  const targets = result.targets.map((one) => ({
    target: one.target,
    objects: one.objects,
    findings: one.findings.map(toJson),
    exempted: one.exempted.map(({ finding, ...exemption }) => ({ ...toJson(finding), ...exemption })),
    skippedRules: one.skippedRules,
    switchedOff: one.skippedRules.map(({ rule, needs }) => ({ rule, lacks: needs })),
  }))
  return `${JSON.stringify({ version: 1, rules: result.rules, ...(notices.length > 0 && { notices }), targets }, undefined, 2)}\n`
}

function toJson({ path, ...finding }: Finding) {
  return { ...finding, ...(path && { path: formatPath(path) }) }
}
