import { existsSync, readFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import type { TargetResult } from '#check/result.ts'
import type { ReadTarget } from '#check/targets.ts'
import { UsageError } from '#cli/errors.ts'
import { root, shownFrom } from '#cli/paths.ts'
import { createEnvironment } from '#kubernetes/model/environment.ts'
import type { Finding } from '#kubernetes/model/finding.ts'
import { environments, type Rendering, render, type Target } from '#manifests/kustomize.ts'
import { eachParallel } from '#system/process.ts'
import { type ApplicationChange, applicationChanges } from './application-changes.ts'
import { type Base, findBase, withFilesOf } from './base.ts'
import { type BaseCache, noCache, openBaseCache } from './base-cache.ts'
import { deliveryChanges } from './delivery.ts'
import { diffEnvironment, type EnvironmentDiff, type Side } from './environments.ts'
import { highest, type Risk } from './risk.ts'

/** What a merge does to every requested environment. */
export interface Diff {
  readonly base: Base
  readonly risk: Risk
  readonly environments: readonly EnvironmentDiff[]
  /** Which Argo CD Applications are created, changed and deleted. */
  readonly applications: readonly ApplicationChange[]
}

interface DiffOptions {
  /** A branch, tag or commit; the main branch by default. */
  readonly base?: string | undefined
  /** Empty means all environments of both sides. */
  readonly environments: readonly string[]
  /** Whether renders of the base may be reused from an earlier diff. */
  readonly cache: boolean
}

/**
 * Renders the working tree and the commit it left the base at, checks both with the rules of the working tree, and compares them.
 * @throws UsageError when there is no such commit or environment
 */
export async function diff(options: DiffOptions): Promise<Diff> {
  const base = await findBase(root, options.base)
  const cache = options.cache ? openBaseCache(base.commit) : noCache
  return withFilesOf(root, base.commit, (folder) => compareFolders(folder, root, base, options.environments, cache))
}

/** Renders, checks and compares the environments of two folders; all of them where none is named. */
export async function compareFolders(
  before: string,
  after: string,
  base: Base,
  wanted: readonly string[],
  cache: BaseCache = noCache,
): Promise<Diff> {
  const names = namesOf(before, after, wanted)
  // Both sides in one queue, the environments in turn, so that each pair is complete as early as possible.
  const all = names.flatMap((name) => [before, after].map((repository) => ({ name, repository })))
  const renders = eachParallel(all, ({ name, repository }) =>
    renderIn(repository, name, repository === before ? cache : noCache),
  )
  const delivery = wanted.length > 0 ? { folders: [], unrendered: [] } : deliveryChanges(before, after)
  const sides = await checkPairs(
    names.map((_, index) => Promise.all([renders[2 * index], renders[2 * index + 1]])),
    [before, after],
  )
  cache.save()
  const diffs = names.map((name, index) => {
    const nothing = { environment: createEnvironment(name, []), findings: [] }
    const [old = nothing, now = nothing] = sides[index] ?? []
    return diffEnvironment(old, now)
  })
  const { folders, unrendered } = await delivery
  const applications = [...applicationChanges(before, after), ...unrendered]
  const compared = [...diffs, ...folders]
  const risk = highest([...compared, ...applications].map((part) => part.risk))
  return { base, risk, environments: compared, applications }
}

function namesOf(before: string, after: string, wanted: readonly string[]): string[] {
  const known = [...environments(after), ...environments(before)].map(({ name }) => name)
  const names = [...new Set(known)]
  if (names.length === 0)
    throw new UsageError('there is no environment: no folder of overlays/ contains a kustomization.yaml')
  for (const name of wanted)
    if (!names.includes(name))
      throw new UsageError(`unknown environment "${name}"; expected one of ${names.join(', ')}`)
  return wanted.length > 0 ? [...new Set(wanted)] : names
}

interface Rendered {
  readonly target: Target
  readonly outcome: Rendering
  /** The content of versions.yaml, which the rendered manifests do not show. */
  readonly versions: string
}

/** Renders an environment of one of the two repositories; undefined where it does not exist there. */
async function renderIn(repository: string, name: string, cache: BaseCache): Promise<Rendered | undefined> {
  const target = environments(repository).find((one) => one.name === name)
  if (target === undefined) return undefined
  const file = join(target.folder, 'versions.yaml')
  const versions = existsSync(file) ? readFileSync(file, 'utf8') : ''
  const known = cache.get(name)
  const outcome = known === undefined ? await render(target, repository) : { manifests: known }
  if ('manifests' in outcome) cache.keep(name, outcome.manifests)
  return { target, outcome, versions }
}

/** Findings after which the objects of a side are not all known. */
const unreadable = ['render', 'empty-render', 'yaml-syntax', 'not-an-object']

/** The old and the new side of an environment; undefined where a side does not have it. */
type Both<T> = [old: T | undefined, now: T | undefined]

/**
 * Reads and checks both sides of each environment. Identical sides are not checked: there is no difference to find. Each is checked as soon as it
 * is rendered; schemas are validated in one batch, since both sides have most of their texts in common.
 */
async function checkPairs(
  pairs: readonly Promise<Both<Rendered>>[],
  [before, after]: readonly [string, string],
): Promise<Both<Side>[]> {
  const { openChecker } = await import('#check/checker.ts')
  const checker = await openChecker(root)
  const differs = Promise.all(pairs).then((all) => !all.every(([old, now]) => isSame(old, now)))
  const read = (rendered: Rendered | undefined) => rendered && checker.read(rendered, 'environment')
  const reading = pairs.map(async (pair): Promise<Both<ReadTarget>> => {
    const [old, now] = await pair
    if (!isSame(old, now)) return Promise.all([read(old), read(now)])
    // Its findings are the same on both sides, but rules compare others with it.
    if (now === undefined || !(await differs)) return [undefined, undefined]
    const context = { ...(await checker.read(now, 'environment')), isContext: true as const }
    return [context, context]
  })
  const sideOf = async (index: 0 | 1, results: readonly (TargetResult | undefined)[], repository: string) =>
    (await Promise.all(reading)).map((both, position): Side | undefined => {
      const [environment, result] = [both[index]?.environment, results[position]]
      if (environment === undefined || result === undefined) return undefined
      const findings = result.findings.map((finding) => shownWithin(repository, finding))
      return { environment, findings, broken: findings.find(({ rule }) => unreadable.includes(rule)) }
    })
  const [ofOld = [], ofNow = []] = await checker.checkStates([
    reading.map(async (both) => (await both)[0]),
    reading.map(async (both) => (await both)[1]),
  ])
  const [olds, nows] = await Promise.all([sideOf(0, ofOld, before), sideOf(1, ofNow, after)])
  return pairs.map((_, index) => [olds[index], nows[index]])
}

/** Shows the file of a finding relative to its repository, which may be a folder that is removed when the diff ends. */
function shownWithin(repository: string, finding: Finding): Finding {
  if (finding.source === undefined) return finding
  const file = relative(repository, resolve(shownFrom(repository), finding.source.file))
  return { ...finding, source: { ...finding.source, file } }
}

function isSame(own: Rendered | undefined, other: Rendered | undefined): boolean {
  if (own === undefined || other === undefined || own.versions !== other.versions) return false
  return 'manifests' in own.outcome && 'manifests' in other.outcome && own.outcome.manifests === other.outcome.manifests
}
