import { formatPath } from '#kubernetes/model/finding.ts'
import type { Diff } from '../diff.ts'
import { formatSteps } from '../fields.ts'

/**
 * The diff for programs. `version` increases when a field changes its meaning or is removed.
 * `significant` is repeated as `telling: …`, its former name, which is deprecated and will be removed in the next version.
 */
export function formatJson(diff: Diff): string {
  const environments = diff.environments.map(({ effects, findings, ...rest }) => ({
    ...rest,
    effects: effects.map(({ changes, significant, ...effect }) => ({
      ...effect,
      changes: changes.map(({ path, ...change }) => {
        const isSignificant = significant.some((one) => one.path === path)
        return { path: formatSteps(path), ...change, significant: isSignificant, telling: isSignificant }
      }),
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
