import type { Environment } from './environment.ts'
import type { Finding } from './finding.ts'
import { nameOf } from './objects.ts'
import type { Rule } from './rule.ts'
import type { Locate } from './source.ts'

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
