import type { Environment } from '#kubernetes/model/environment.ts'
import type { Finding } from '#kubernetes/model/finding.ts'
import { nameOf } from '#kubernetes/model/objects.ts'
import type { Locate } from '#manifests/source-locations/index.ts'
import type { Report, Rule } from '#rule/define-rule.ts'

/** An environment, and how to find the line that set a value of its objects. */
export interface Located {
  readonly environment: Environment
  /** Asked only for what is wrong, so it may be slow. */
  readonly locate: Locate
}

/** Runs the rules about single environments over one, in their order. */
export function runRules(rules: readonly Rule[], { environment, locate }: Located): Finding[] {
  const findings: Finding[] = []
  for (const rule of rules)
    if ('check' in rule) rule.check(environment, reportInto(findings, rule, environment, locate))
  return findings
}

/** Runs the rules that compare environments. The findings of each are at its index. */
export function runRulesAcross(rules: readonly Rule[], all: readonly Located[]): Finding[][] {
  const found = new Map(all.map(({ environment, locate }) => [environment, { locate, findings: [] as Finding[] }]))
  for (const rule of rules) {
    if (!('checkAll' in rule)) continue
    rule.checkAll([...found.keys()], (environment) => {
      const entry = found.get(environment)
      if (entry === undefined) throw new Error(`${rule.id} reports in ${environment.name}, which is not checked`)
      return reportInto(entry.findings, rule, environment, entry.locate)
    })
  }
  return all.map(({ environment }) => found.get(environment)?.findings ?? [])
}

function reportInto(findings: Finding[], rule: Rule, environment: Environment, locate: Locate): Report {
  return (object, path, message, fix = rule.fix) => {
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
  }
}

/** A rule that was skipped in a target, wholly or in part, and what it needs. */
export interface SkippedRule {
  readonly rule: string
  readonly needs: string
}

/**
 * The rules that apply to a target of another repository, and those whose convention is absent there. In environments of this repository every rule
 * applies: a convention that is lost there must not silence a rule.
 */
export function applicable(
  rules: readonly Rule[],
  environment: Environment,
  isEnvironment = false,
): { on: Rule[]; off: SkippedRule[] } {
  const lacking = rules.filter(
    ({ needs }) => needs?.isIn(environment) === false && !(isEnvironment && needs.isExpected === false),
  )
  return {
    on: rules.filter((rule) => rule.needs?.partly || !lacking.includes(rule)),
    off: lacking.map(({ id, needs }) => ({
      rule: id,
      needs: `${needs?.what}${needs?.partly ? ', to evaluate what is not rendered' : ''}`,
    })),
  }
}
