import type { CheckResult } from '#check/result.ts'
import { type Finding, formatPath } from '#kubernetes/model/finding.ts'

/** The result for programs, as described by `json.schema.json`. `version` increases when a field changes its meaning or is removed. */
export function reportJson(result: CheckResult): string {
  const targets = result.targets.map(({ target, objects, findings, exempted, switchedOff }) => ({
    target,
    objects,
    findings: findings.map(toJson),
    exempted: exempted.map(({ finding, ...exemption }) => ({ ...toJson(finding), ...exemption })),
    switchedOff,
  }))
  return `${JSON.stringify({ version: 1, rules: result.rules, targets }, undefined, 2)}\n`
}

function toJson({ path, ...finding }: Finding) {
  return { ...finding, ...(path && { path: formatPath(path) }) }
}
