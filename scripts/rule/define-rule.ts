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
  /** False where an environment of this repository does not have it by design, so that nobody needs to know. */
  readonly isExpected?: false
}

export interface Rule extends RuleText {
  /** Where it is absent in another repository the rule is switched off, and the summary says so. */
  readonly needs?: Convention
  /** It looks at what else is checked, so it runs once all is read; of one environment alone it says nothing. */
  readonly across?: true
  check(environment: Environment, report: Report): void
}

/** Gives a rule its type; a rule is one file in `scripts/rules` that default-exports this. */
export function defineRule(rule: Rule): Rule {
  return rule
}
