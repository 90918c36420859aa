import { at, fields, items, show } from '#kubernetes/model/objects.ts'
import { quantity } from '#kubernetes/model/quantity.ts'
import { formatAmount, mostCounted } from '#kubernetes/workloads/capacity.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'quota-holds',
  category: 'resources',
  severity: 'error',
  summary:
    'A ResourceQuota covers what the namespace needs at maximum scale, including the surge of a rolling update and all Jobs.',
  why: 'Pods over the quota are rejected: scaling stops below its maximum under load, or a rollout waits for a pod that cannot be created.',
  fix: 'Raise the quota, or lower a maximum scale or the requests.',
  check(environment, report) {
    for (const quota of environment.ofKind('ResourceQuota', '')) {
      // A quota for some pods only, by priority or class: which pods is not evaluated here.
      if (items(at(quota.raw, 'spec', 'scopes')).length > 0 || at(quota.raw, 'spec', 'scopeSelector') !== undefined)
        continue
      for (const [name, value] of Object.entries(fields(at(quota.raw, 'spec', 'hard')))) {
        const hard = quantity(value)
        const needed = mostCounted(environment, quota.namespace, name)
        // A tolerance of one millionth: sums of fractions of cores are not exact.
        if (hard === undefined || needed === undefined || needed.total <= hard * (1 + 1e-6)) continue
        const largest = needed.shares
          .slice(0, 3)
          .map(
            ({ object, amount, pods }) =>
              `${object.kind} ${object.name} ${formatAmount(name, amount)}${pods > 0 ? ` (${pods} pods)` : ''}`,
          )
        report(
          quota,
          ['spec', 'hard', name],
          `${name} is ${show(value)}, but at maximum scale ${formatAmount(name, needed.total)} is needed; the largest shares are ${largest.join(', ')}`,
          `Raise ${name} to ${formatAmount(name, needed.total)} or more, or lower a maximum scale or the requests.`,
        )
      }
    }
  },
})
