import type { Environment } from './environment.ts'
import type { Finding } from './finding.ts'
import { nameOf } from './objects.ts'
import type { Rule } from './rule.ts'
import type { Locate } from './source.ts'

/** Runs the rules over one environment, in their order. `locate` is asked only for what is wrong, so it may be slow. */
export function runRules(rules: readonly Rule[], environment: Environment, locate: Locate): Finding[] {
  const findings: Finding[] = []
  for (const rule of rules) {
    if (rule.needs?.isIn(environment) === false) continue
    rule.check(environment, (object, path, message, fix = rule.fix) => {
      const source = locate(object, path)
      findings.push({
        rule: rule.id,
        severity: rule.severity,
        target: environment.name,
        object: nameOf(object),
        path,
        message,
        fix,
        ...(source && { source }),
      })
    })
  }
  return findings
}

/** A rule that could say nothing about a target, and what it would have needed. */
export interface SwitchedOff {
  readonly rule: string
  readonly lacks: string
}

/** The rules that do not look at an environment because the convention they stand on is absent. */
export function switchedOff(rules: readonly Rule[], environment: Environment): SwitchedOff[] {
  return rules.flatMap(({ id, needs }) =>
    needs === undefined || needs.isIn(environment) ? [] : [{ rule: id, lacks: needs.what }],
  )
}
