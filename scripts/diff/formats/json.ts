import { formatPath } from '#kubernetes/model/finding.ts'
import type { Diff } from '../diff.ts'
import { formatSteps } from '../fields.ts'

/** The diff for programs. `version` counts up when a field changes its meaning or goes away. */
export function formatJson(diff: Diff): string {
  const environments = diff.environments.map(({ effects, findings, ...rest }) => ({
    ...rest,
    effects: effects.map(({ changes, telling, ...effect }) => ({
      ...effect,
      changes: changes.map(({ path, ...change }) => ({
        path: formatSteps(path),
        ...change,
        telling: telling.some((one) => one.path === path),
      })),
    })),
    findings: {
      errors: findings.errors.length,
      added: findings.added.map(({ path, ...finding }) => ({ ...finding, ...(path && { path: formatPath(path) }) })),
      resolved: findings.resolved.map(({ path, ...finding }) => ({
        ...finding,
        ...(path && { path: formatPath(path) }),
      })),
    },
  }))
  const applications = diff.applications.map(({ changes, ...rest }) => ({
    ...rest,
    changes: changes.map(({ path, ...change }) => ({ path: formatSteps(path), ...change })),
  }))
  return `${JSON.stringify({ version: 1, base: diff.base, risk: diff.risk, applications, environments }, undefined, 2)}\n`
}
