import { join } from 'node:path'
import { home } from '#cli/paths.ts'
import type { Environment } from '#kubernetes/model/environment.ts'
import type { Finding } from '#kubernetes/model/finding.ts'
import { environments, type Target } from '#manifests/kustomize.ts'
import { type Platform, readPlatform } from '#platform/platform-file.ts'
import type { Rule } from '#rule/define-rule.ts'
import { rules } from '#rules/index.ts'
import type { Manifests } from '#validation/kubeconform.ts'
import type { CheckConfig } from './config.ts'
import { readConfig, versionsChecker } from './config-file.ts'
import { addExcerpts } from './excerpts.ts'
import { isDecidable, unusedExemption } from './exemptions.ts'
import { type CheckedTarget, checkGroups, type Group, validate, withoutAnnotated } from './pipeline.ts'
import { noticesOf, repositoryFindings } from './repository-findings.ts'
import type { CheckResult, TargetResult } from './result.ts'
import { applicable, type Located, runRules, runRulesAcross } from './run-rules.ts'
import {
  environmentOf,
  type ReadTarget,
  type RenderedTarget,
  readFilesTarget,
  readRenderedTarget,
  type TargetKind,
} from './targets.ts'

interface CheckerOptions {
  /** The repository. */
  readonly root: string
  readonly config: CheckConfig
  /** The content of its platform.yaml; undefined where it has none. */
  readonly platform?: Platform | undefined
  readonly rules: readonly Rule[]
  /** The folder that `npm run generate:schemas` wrote. */
  readonly schemas: string
}

/** Checks manifests by the configuration of a repository, a set of rules and a set of schemas. */
export interface Checker {
  readonly config: CheckConfig
  /** The kustomizations that Argo CD is given, as `check.yaml` names them. */
  readonly delivery: readonly Target[]
  /** Reads what kustomize rendered. `kind` is what the target is; where absent, its folder decides. */
  read(rendered: RenderedTarget, kind?: TargetKind): Promise<ReadTarget>
  /** Reads files of manifests that are checked together, `-` being standard input; `name` is what the target is called. */
  readFiles(name: string, files: readonly string[]): Promise<ReadTarget>
  /**
   * Checks targets by schemas and rules.
   * @param options `admit`: by a real API server, too; `map`: whether each result has the target's connections
   */
  check(
    targets: readonly Promise<ReadTarget>[],
    options?: { readonly admit?: boolean; readonly map?: boolean },
  ): Promise<CheckResult>
  /** Checks several states of a repository, whose environments have the same names. Each result is at the index of its target. */
  checkStates(states: readonly Group[]): Promise<(TargetResult | undefined)[][]>
  /** Indexes objects as those of an environment of the repository, or of what Argo CD is given, by the name. */
  environment(of: Pick<Environment, 'name' | 'folder' | 'objects'>): Environment
  /**
   * What the rules find in environments of the repository, without what annotations exempt.
   * @param alongside environments that are not checked, but that rules compare these with
   */
  evaluate(located: readonly Located[], alongside?: readonly Located[]): Finding[]
  /** What schemas and CEL rules find; the findings of each are at its index. */
  validate(manifests: readonly Manifests[]): Promise<Finding[][]>
}

/** The checker of a repository: its configuration, with all rules and its schemas. */
export async function openChecker(root: string): Promise<Checker> {
  const [config, platform] = await Promise.all([readConfig(root), readPlatform(root)])
  return createChecker({ root, config, platform, rules, schemas: join(home, 'schemas') })
}

/** Reads nothing until it is asked to. */
export function createChecker({ root, config, platform, rules, schemas }: CheckerOptions): Checker {
  const delivery = config.delivery.folders.map((name) => ({ name, folder: join(root, name) }))
  const repository = { root, config, platform }
  const kindOf = ({ folder }: Target): TargetKind => {
    if (environments(root).some((own) => own.folder === folder)) return 'environment'
    return delivery.some((own) => own.folder === folder) ? 'delivery' : 'foreign'
  }
  let versions: ReturnType<typeof versionsChecker> | undefined
  const versionFindings = async (target: Target) => {
    versions ??= versionsChecker(root)
    return (await versions)(target)
  }

  return {
    config,
    delivery,
    read: async (rendered, kind = kindOf(rendered.target)) => {
      const findings = kind === 'environment' ? await versionFindings(rendered.target) : []
      return readRenderedTarget(rendered, kind, repository, findings)
    },
    readFiles: (name, files) => readFilesTarget(name, files, repository),
    check: async (targets, { admit = false, map = false } = {}) => {
      const [checked = []] = await checkGroups([targets], { rules, schemas, admit })
      const results = withFindings(checked, [
        ...unusedExemptions(root, config, checked, admit),
        ...findingsBesideManifests(root, config, delivery, checked),
      ])
      const notes = [...new Set(checked.flatMap((one) => one.notes))]
      const own = checked.filter(({ target }) => target.kind === 'environment').map(({ target }) => target.target)
      const notices = noticesOf(root, own, platform)
      return { targets: map ? await withMaps(checked, results) : results, rules: rules.length, notes, notices }
    },
    checkStates: async (states) => {
      const checked = await checkGroups(states, { rules, schemas, admit: false })
      return Promise.all(
        states.map(async (state, index) => {
          const results = new Map(checked[index]?.map(({ target, result }) => [target, result]))
          return Promise.all(state.map(async (reading) => results.get((await reading) as ReadTarget)))
        }),
      )
    },
    environment: (of) =>
      environmentOf(of, config.delivery.folders.includes(of.name) ? 'delivery' : 'environment', repository),
    evaluate: (located, alongside = []) => {
      const all = [...located, ...alongside]
      const across = runRulesAcross(rules, all)
      return all.flatMap((one, index) => {
        const isDelivery = config.delivery.folders.includes(one.environment.name)
        const own = isDelivery ? applicable(rules, one.environment).on : rules
        const alone = index < located.length ? runRules(own, one) : []
        return withoutAnnotated([...alone, ...(across[index] ?? [])], one)
      })
    },
    validate: (manifests) => validate(manifests, schemas),
  }
}

/** Adds findings that are not about one target to the first result. */
function withFindings(checked: readonly CheckedTarget[], more: readonly Finding[]): TargetResult[] {
  const [first] = checked
  const results = checked.map(({ result }) => result)
  if (first === undefined || more.length === 0) return results
  const own = { ...first.result, findings: [...first.result.findings, ...addExcerpts(more, first.target.contentOf)] }
  return [own, ...results.slice(1)]
}

/** The exemptions for all environments that none of them needs: known only where all of them were checked. */
function unusedExemptions(
  root: string,
  config: CheckConfig,
  checked: readonly CheckedTarget[],
  admit: boolean,
): Finding[] {
  const [first] = checked
  const own = checked.filter(({ target }) => target.kind === 'environment').map(({ target }) => target.target)
  if (first === undefined || !environments(root).every(({ name }) => own.includes(name))) return []
  const used = new Set(checked.flatMap((one) => [...one.used]))
  const unused = config.exemptions.filter(
    (exemption) => exemption.environments === undefined && !used.has(exemption) && isDecidable(exemption, admit),
  )
  return unused.map((exemption) => unusedExemption(exemption, first.target.target))
}

/** What is wrong in the repository's files beside its manifests: known only where all of it was checked. */
function findingsBesideManifests(
  root: string,
  config: CheckConfig,
  delivery: readonly Target[],
  checked: readonly CheckedTarget[],
): Finding[] {
  const [first] = checked
  const names = new Set(checked.map(({ target }) => target.target))
  const isAll = [...environments(root), ...delivery].every(({ name }) => names.has(name))
  if (first === undefined || !isAll || !checked.some(({ target }) => target.kind === 'environment')) return []
  const all = checked.map(({ target }) => target.environment)
  return repositoryFindings(root, first.target.target, all, config)
}

async function withMaps(checked: readonly CheckedTarget[], results: readonly TargetResult[]): Promise<TargetResult[]> {
  const { mapOf } = await import('#kubernetes/topology/connection-map.ts')
  return checked.map(({ target }, index) => ({ ...(results[index] as TargetResult), map: mapOf(target.environment) }))
}
