import type { CheckResult } from '../check.ts'
import { formatPath } from '../finding.ts'

/** The result for programs. `version` counts up when a field changes its meaning or goes away. */
export function reportJson(result: CheckResult): string {
  const targets = result.targets.map(({ target, objects, findings }) => ({
    target,
    objects,
    findings: findings.map(({ path, ...finding }) => ({ ...finding, ...(path && { path: formatPath(path) }) })),
  }))
  return `${JSON.stringify({ version: 1, rules: result.rules, targets }, undefined, 2)}\n`
}
