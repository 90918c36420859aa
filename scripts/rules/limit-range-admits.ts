import type { Environment } from '#kubernetes/model/environment.ts'
import type { Path } from '#kubernetes/model/finding.ts'
import { at, fields, items, type KubeObject, show, text, type Value } from '#kubernetes/model/objects.ts'
import { quantity } from '#kubernetes/model/quantity.ts'
import type { Workload } from '#kubernetes/model/workloads.ts'
import { containerAmount, podAmount } from '#kubernetes/workloads/pod-resources.ts'
import { defineRule, type Report } from '#rule/define-rule.ts'

export default defineRule({
  id: 'limit-range-admits',
  category: 'resources',
  severity: 'error',
  summary: 'A LimitRange admits every container, pod and claim of its namespace.',
  why: 'The API server rejects a pod or claim outside the range, so the workload has zero pods.',
  fix: 'Bring the request or limit into the range, or widen the range.',
  check(environment, report) {
    for (const range of environment.ofKind('LimitRange', ''))
      for (const limit of items(at(range.raw, 'spec', 'limits'))) {
        const bounds = boundsOf(limit)
        if (bounds.length === 0) continue
        const type = text(at(limit, 'type'))
        for (const workload of environment.workloads) {
          if (workload.object.namespace !== range.namespace) continue
          if (type === 'Container') checkContainers(environment, workload, bounds, range, report)
          if (type === 'Pod') checkPod(environment, workload, bounds, range, report)
        }
        if (type === 'PersistentVolumeClaim') checkClaims(environment, bounds, range, report)
      }
  },
})

interface Bound {
  readonly kind: 'min' | 'max' | 'maxLimitRequestRatio'
  readonly resource: string
  readonly value: number
  readonly written: Value
}

function boundsOf(limit: Value): Bound[] {
  return (['min', 'max', 'maxLimitRequestRatio'] as const).flatMap((kind) =>
    Object.entries(fields(fields(limit)[kind])).flatMap(([resource, written]) => {
      const value = quantity(written)
      return value === undefined ? [] : [{ kind, resource, value, written }]
    }),
  )
}

/** How to fix a violation of a bound. */
function fixOf({ kind, resource, written }: Bound): string {
  const bound = show(written)
  if (kind === 'min') return `Set requests.${resource} to ${bound} or more, or lower min of the LimitRange.`
  if (kind === 'max') return `Set limits.${resource} to ${bound} or less, or raise max of the LimitRange.`
  return `Raise requests.${resource} to at least 1/${bound} of limits.${resource}, or lower the limit.`
}

/** Why amounts violate a bound, by the rules of the API server's LimitRanger; undefined when they do not. */
function violation(
  { kind, resource, value, written }: Bound,
  request: number | undefined,
  limit: number | undefined,
): string | undefined {
  if (kind === 'min' && (request === undefined || request < value))
    return `requests ${request === undefined ? 'no' : 'less'} ${resource}${request === undefined ? '' : ` than ${show(written)}`}; the minimum is ${show(written)}`
  if (kind === 'max' && (limit === undefined || limit > value))
    return `${limit === undefined ? 'has no limit of' : 'has too high a limit of'} ${resource}; the maximum is ${show(written)}`
  if (kind === 'maxLimitRequestRatio' && limit !== undefined && request !== undefined && limit > request * value)
    return `has a ${resource} limit of more than ${show(written)} times its request`
  return undefined
}

function checkContainers(
  environment: Environment,
  workload: Workload,
  bounds: readonly Bound[],
  range: KubeObject,
  report: Report,
): void {
  for (const container of workload.containers) {
    if (container.role === 'ephemeral') continue
    for (const bound of bounds) {
      const amount = (part: 'requests' | 'limits') =>
        containerAmount(environment, workload, container, part, bound.resource)
      const problem = violation(bound, amount('requests'), amount('limits'))
      if (problem === undefined) continue
      const path = at(container.raw, 'resources') === undefined ? container.path : [...container.path, 'resources']
      report(
        workload.object,
        path,
        `container "${container.name}" ${problem} (LimitRange "${range.name}")`,
        fixOf(bound),
      )
    }
  }
}

function checkPod(
  environment: Environment,
  workload: Workload,
  bounds: readonly Bound[],
  range: KubeObject,
  report: Report,
): void {
  for (const bound of bounds) {
    const amount = (part: 'requests' | 'limits') => podAmount(environment, workload, part, bound.resource) || undefined
    const problem = violation(bound, amount('requests'), amount('limits'))
    if (problem !== undefined)
      report(workload.object, workload.podPath, `the pod ${problem} (LimitRange "${range.name}")`, fixOf(bound))
  }
}

function checkClaims(environment: Environment, bounds: readonly Bound[], range: KubeObject, report: Report): void {
  const check = (object: KubeObject, claim: Value, path: Path) => {
    const request = quantity(at(claim, 'spec', 'resources', 'requests', 'storage'))
    for (const bound of bounds) {
      if (bound.resource !== 'storage' || bound.kind === 'maxLimitRequestRatio' || request === undefined) continue
      if (bound.kind === 'min' ? request >= bound.value : request <= bound.value) continue
      const isMin = bound.kind === 'min'
      report(
        object,
        [...path, 'spec', 'resources', 'requests', 'storage'],
        `the claim requests ${isMin ? 'less' : 'more'} than ${show(bound.written)}, the ${isMin ? 'minimum' : 'maximum'} of LimitRange "${range.name}"`,
        `Set requests.storage to ${show(bound.written)} or ${isMin ? 'more' : 'less'}, or change ${bound.kind} of the LimitRange.`,
      )
    }
  }
  for (const object of environment.ofKind('PersistentVolumeClaim', ''))
    if (object.namespace === range.namespace) check(object, object.raw, [])
  for (const object of environment.ofKind('StatefulSet', 'apps'))
    if (object.namespace === range.namespace)
      for (const [index, claim] of items(at(object.raw, 'spec', 'volumeClaimTemplates')).entries())
        check(object, claim, ['spec', 'volumeClaimTemplates', index])
}
