import type { Environment } from '#kubernetes/model/environment.ts'
import type { Finding } from '#kubernetes/model/finding.ts'
import { nameOf } from '#kubernetes/model/objects.ts'
import type { Locate } from '#manifests/source-locations.ts'
import type { Rule } from '#rule/define-rule.ts'

/** Runs the rules over one environment, in their order. `locate` is asked only for what is wrong, so it may be slow. */
export function runRules(rules: readonly Rule[], environment: Environment, locate: Locate): Finding[] {
  const findings: Finding[] = []
  for (const rule of rules) {
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

/** A rule that could say nothing about a target, or not all it might, and what it would have needed. */
export interface SwitchedOff {
  readonly rule: string
  readonly lacks: string
}

/**
 * The rules that apply to a target of another repository, and those whose convention is absent there. Our own environments are held to all
 * conventions: one that is lost there must not silence a rule.
 */
export function applicable(
  rules: readonly Rule[],
  environment: Environment,
  isEnvironment = false,
): { on: Rule[]; off: SwitchedOff[] } {
  const lacking = rules.filter(
    ({ needs }) => needs?.isIn(environment) === false && !(isEnvironment && needs.isExpected === false),
  )
  return {
    on: rules.filter((rule) => rule.needs?.partly || !lacking.includes(rule)),
    off: lacking.map(({ id, needs }) => ({
      rule: id,
      lacks: `${needs?.what}${needs?.partly ? ', to judge what is not rendered' : ''}`,
    })),
  }
}
