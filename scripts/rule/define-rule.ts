import type { Environment } from '#kubernetes/model/environment.ts'
import type { Path, Severity } from '#kubernetes/model/finding.ts'
import type { KubeObject } from '#kubernetes/model/objects.ts'

/**
 * Records that an object breaks the rule.
 * @param path where in the object; the empty path means the whole object
 * @param message what is wrong and what was expected
 * @param fix replaces the rule's own fix where a more exact one is known
 */
export type Report = (object: KubeObject, path: Path, message: string, fix?: string) => void

/** What is said of a rule wherever it is shown. */
export interface RuleText {
  /** Kebab case, the name of its file and of its fixtures' folder. */
  readonly id: string
  /** An error breaks in a cluster; a warning hurts there. */
  readonly severity: Severity
  /** What the rule demands, in one line. */
  readonly summary: string
  /** What happens in a cluster when it is broken. */
  readonly why: string
  /** What to do about it, in general. */
  readonly fix: string
}

/** Something that a rule needs to find before it can say anything true: a convention that other repositories need not share. */
export interface Convention {
  /** What is looked for, as a noun: `a program that reads CHAT_MODEL`. */
  readonly what: string
  isIn(environment: Environment): boolean
  /** The rule still says what it can tell without. */
  readonly partly?: true
}

/** A rule about each environment by itself. */
export interface EnvironmentRule extends RuleText {
  /** Where it is absent in another repository the rule is switched off, and the summary says so. */
  readonly needs?: Convention
  check(environment: Environment, report: Report): void
}

/** A rule that compares environments: it runs once all of them are read. */
export interface CrossEnvironmentRule extends RuleText {
  readonly needs?: never
  /**
   * @param environments all that is checked together
   * @param reportIn the report of one of them
   */
  checkAll(environments: readonly Environment[], reportIn: (environment: Environment) => Report): void
}

export type Rule = EnvironmentRule | CrossEnvironmentRule

/** Gives a rule its type; a rule is one file in `scripts/rules` that default-exports this. */
export function defineRule(rule: Rule): Rule {
  return rule
}
