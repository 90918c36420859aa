import type { Environment } from '#kubernetes/model/environment.ts'
import type { Path } from '#kubernetes/model/finding.ts'
import { at, items, type KubeObject, type Value } from '#kubernetes/model/objects.ts'

/** An alert or a recording rule, with the PrometheusRule that holds it. */
export interface PrometheusRule {
  readonly object: KubeObject
  /** Its path in the object: `spec.groups[0].rules[2]`. */
  readonly path: Path
  readonly rule: Value
}

/** Every alert and recording rule of an environment, in the order of its objects. */
export function* prometheusRulesOf(environment: Environment): Generator<PrometheusRule> {
  for (const object of environment.ofKind('PrometheusRule', 'monitoring.coreos.com'))
    for (const [group, raw] of items(at(object.raw, 'spec', 'groups')).entries())
      for (const [index, rule] of items(at(raw, 'rules')).entries())
        yield { object, path: ['spec', 'groups', group, 'rules', index], rule }
}
