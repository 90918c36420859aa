import type { Provided } from '#kubernetes/model/provided.ts'
import type { Exemption } from './exemptions.ts'

/** The content of `check.yaml`. */
export interface CheckConfig {
  readonly provided: readonly Provided[]
  readonly exemptions: readonly Exemption[]
  /** The series in the lists of metrics; undefined where no folder of lists is named. */
  readonly metrics: ReadonlySet<string> | undefined
  /** Environments that have to be alike, in the order of promotion. */
  readonly parity: readonly string[]
  /** The folders that Argo CD is given, and the addresses under which it knows this repository. */
  readonly delivery: { readonly folders: readonly string[]; readonly repositories: readonly string[] }
}

/** The configuration where there is no `check.yaml`. */
export const emptyConfig: CheckConfig = {
  provided: [],
  exemptions: [],
  metrics: undefined,
  parity: [],
  delivery: { folders: [], repositories: [] },
}

/** The declarations that are valid in one environment. */
export function providedIn(config: CheckConfig, environment: string): Provided[] {
  return config.provided.filter(({ environments }) => environments?.includes(environment) !== false)
}

/** The exemptions that are valid in one environment. */
export function exemptionsIn(config: CheckConfig, environment: string): Exemption[] {
  return config.exemptions.filter(({ environments }) => environments?.includes(environment) !== false)
}
