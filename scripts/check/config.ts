import type { Provided } from '#kubernetes/model/provided.ts'
import type { Exemption } from './exemptions.ts'

/** The content of `check.yaml`. */
export interface CheckConfig {
  readonly provided: readonly Provided[]
  readonly exemptions: readonly Exemption[]
  /** What Argo CD is given, and the addresses under which it knows this repository. */
  readonly delivery: { readonly folders: readonly string[]; readonly repositories: readonly string[] }
}

/** What holds where there is no `check.yaml`. */
export const emptyConfig: CheckConfig = {
  provided: [],
  exemptions: [],
  delivery: { folders: [], repositories: [] },
}

/** The declarations that hold for one environment. */
export function providedIn(config: CheckConfig, environment: string): Provided[] {
  return config.provided.filter(({ environments }) => environments?.includes(environment) !== false)
}

/** The exemptions that hold for one environment. */
export function exemptionsIn(config: CheckConfig, environment: string): Exemption[] {
  return config.exemptions.filter(({ environments }) => environments?.includes(environment) !== false)
}
