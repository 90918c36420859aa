import type { CheckResult } from '#check/check.ts'
import { type Finding, formatPath } from '#kubernetes/model/finding.ts'

/** The result for programs, as `json.schema.json` describes it. `version` counts up when a field changes its meaning or goes away. */
export function reportJson(result: CheckResult): string {
  const { notices = [] } = result
  const targets = result.targets.map(({ target, objects, findings, exempted, switchedOff }) => ({
    target,
    objects,
    findings: findings.map(toJson),
    exempted: exempted.map(({ finding, ...exemption }) => ({ ...toJson(finding), ...exemption })),
    switchedOff,
  }))
  return `${JSON.stringify({ version: 1, rules: result.rules, ...(notices.length > 0 && { notices }), targets }, undefined, 2)}\n`
}

function toJson({ path, ...finding }: Finding) {
  return { ...finding, ...(path && { path: formatPath(path) }) }
}
