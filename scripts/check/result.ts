import type { Finding } from '#kubernetes/model/finding.ts'
import type { EnvironmentMap } from '#kubernetes/topology/connection-map.ts'
import type { Exempted } from './exemptions.ts'
import type { SkippedRule } from './run-rules.ts'

/** What one target's check found. */
export interface TargetResult {
  /** The environment, folder or file. */
  readonly target: string
  /** How many objects it renders. */
  readonly objects: number
  readonly findings: readonly Finding[]
  /** What would be findings too, had somebody not exempted them. */
  readonly exempted: readonly Exempted[]
  /** Rules that did not look at it, since what they need is absent. */
  readonly skippedRules: readonly SkippedRule[]
  /** Its components and the connections between them, when asked for. */
  readonly map?: EnvironmentMap
}

export interface CheckResult {
  readonly targets: readonly TargetResult[]
  /** How many rules looked at each target. */
  readonly rules: number
  /** What a reader should know although nothing is wrong; part of the report. */
  readonly notices?: readonly string[]
  /** Not findings, but worth a line on the terminal: a rule that is named by a former id. */
  readonly notes?: readonly string[]
}
