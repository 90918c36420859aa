import type { Environment } from '#kubernetes/model/environment.ts'
import type { Path, Severity } from '#kubernetes/model/finding.ts'
import type { KubeObject } from '#kubernetes/model/objects.ts'

/**
 * Records that an object violates the rule.
 * @param path where in the object; the empty path is the whole object
 * @param message what is wrong and what was expected
 * @param fix replaces the rule's own fix where a more exact one is known
 */
export type Report = (object: KubeObject, path: Path, message: string, fix?: string) => void

/** What a rule is about, in the order of `docs/rules/README.md`, with its heading there. */
export const categories = {
  manifests: 'Manifests',
  references: 'References between objects',
  workloads: 'Workloads',
  images: 'Images',
  resources: 'Resources and GPUs',
  availability: 'Availability',
  scaling: 'Scaling',
  networking: 'Networking',
  storage: 'Storage',
  configuration: 'Configuration',
  security: 'Security',
  monitoring: 'Monitoring',
  argocd: 'Argo CD',
  environments: 'Environments',
} as const

export type Category = keyof typeof categories

/** Whether a rule holds for any Kubernetes manifests, or is about the programs and conventions of this platform. */
type Scope = 'kubernetes' | 'platform'

/** The description of a rule, wherever it is shown. */
export interface RuleText {
  /** Kebab case, the name of its file and of its fixtures' folder. */
  readonly id: string
  /** Ids it had before: exemptions and `--explain` accept them for one more version. */
  readonly formerIds?: readonly string[]
  readonly category: Category
  /** `kubernetes` when absent. */
  readonly scope?: Scope
  /** An error breaks a deployment; a warning degrades it. */
  readonly severity: Severity
  /** What the rule requires, in one line. */
  readonly summary: string
  /** What happens in a cluster when it is violated. */
  readonly why: string
  /** How to fix a violation, in general. */
  readonly fix: string
}

/** A precondition of a rule: a convention that other repositories need not follow. */
export interface Convention {
  /** What has to be present, as a noun: `a program that reads CHAT_MODEL`. */
  readonly what: string
  isIn(environment: Environment): boolean
  /** Without it the rule still checks what it can. */
  readonly partly?: true
  /** False where an environment of this repository does not have it by design, so that nobody needs to know. */
  readonly isExpected?: false
}

/** A rule about each environment by itself. */
interface EnvironmentRule extends RuleText {
  /** Where it is absent in another repository the rule is skipped, and the summary lists it as such. */
  readonly needs?: Convention
  check(environment: Environment, report: Report): void
}

/** A rule that compares environments: it runs once all of them are read. */
interface CrossEnvironmentRule extends RuleText {
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
