import { existsSync, readFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import type { Readable } from '#check/pipeline.ts'
import { UsageError } from '#cli/errors.ts'
import { root, shownFrom } from '#cli/paths.ts'
import { createEnvironment, type Environment } from '#kubernetes/model/environment.ts'
import type { Finding } from '#kubernetes/model/finding.ts'
import { environments, type Rendering, render, type Target } from '#manifests/kustomize.ts'
import { eachParallel } from '#system/process.ts'
import { type ApplicationChange, applicationChanges } from './application-changes.ts'
import { type Base, findBase, withFilesOf } from './base.ts'
import { type BaseCache, noCache, openBaseCache } from './base-cache.ts'
import { deliveryChanges } from './delivery.ts'
import { diffEnvironment, type EnvironmentDiff, type Side } from './environments.ts'
import { highest, type Risk } from './risk.ts'

/** What a merge does to every environment that was asked for. */
export interface Diff {
  readonly base: Base
  readonly risk: Risk
  readonly environments: readonly EnvironmentDiff[]
  /** Which Applications of Argo CD come, change and go. */
  readonly applications: readonly ApplicationChange[]
}

export interface DiffOptions {
  /** A branch, tag or commit; absent means the main branch. */
  readonly base?: string | undefined
  /** None means all of both sides. */
  readonly environments: readonly string[]
  /** Whether the renders of the base may be those of an earlier diff. */
  readonly cache: boolean
}

/**
 * Renders the working tree and the commit it left the base at, checks both by the rules of the working tree, and compares them.
 * @throws UsageError when there is no such commit or environment
 */
export async function diff(options: DiffOptions): Promise<Diff> {
  const base = await findBase(root, options.base)
  const cache = options.cache ? openBaseCache(base.commit) : noCache
  return withFilesOf(root, base.commit, (folder) => compareFolders(folder, root, base, options.environments, cache))
}

/** Renders, judges and compares the environments of two folders; all of them where none is named. */
export async function compareFolders(
  before: string,
  after: string,
  base: Base,
  wanted: readonly string[],
  cache: BaseCache = noCache,
): Promise<Diff> {
  const names = namesOf(before, after, wanted)
  // Both sides in one queue, the environments in turn, so that each pair is there as early as can be.
  const all = names.flatMap((name) => [before, after].map((repository) => ({ name, repository })))
  const renders = eachParallel(all, ({ name, repository }) =>
    renderIn(repository, name, repository === before ? cache : noCache),
  )
  const delivery = wanted.length > 0 ? { folders: [], unrendered: [] } : deliveryChanges(before, after)
  const sides = await judgePairs(
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
    throw new UsageError('there is no environment: no folder of overlays/ holds a kustomization.yaml')
  for (const name of wanted)
    if (!names.includes(name))
      throw new UsageError(`unknown environment "${name}"; expected one of ${names.join(', ')}`)
  return wanted.length > 0 ? [...new Set(wanted)] : names
}

interface Rendered {
  readonly target: Target
  readonly outcome: Rendering
  /** What the rendered manifests do not show. */
  readonly versions: string
}

/** Renders an environment of one of the two repositories; undefined where that has none of the name. */
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
 * Reads and judges both sides of each environment. Where they are the same nothing is judged: there is no difference to find. Each is judged as soon as it
 * is rendered, by schemas all at once, since both sides have most of their texts in common.
 */
async function judgePairs(
  pairs: readonly Promise<Both<Rendered>>[],
  [before, after]: readonly [string, string],
): Promise<Both<Side>[]> {
  const { askSchemas, readRender } = await import('#check/pipeline.ts')
  const differs = Promise.all(pairs).then((all) => !all.every(([old, now]) => isSame(old, now)))
  const together: { old: Environment[]; now: Environment[] } = { old: [], now: [] }
  const reading = pairs.map(async (pair): Promise<Both<Readable>> => {
    const [old, now] = await pair
    if (!isSame(old, now))
      return Promise.all([old && readRender(old, true, together.old), now && readRender(now, true, together.now)])
    // It has nothing to tell, but others are held to it.
    if (now !== undefined && (await differs)) together.old.push((await readRender(now, true, together.now)).environment)
    return [undefined, undefined]
  })
  const all = Promise.all(reading)
  const bySchema = all.then((read) =>
    askSchemas(read.flatMap(([old, now]) => [...labelled(old, 'old'), ...labelled(now, 'now')])),
  )
  return Promise.all(
    reading.map(async (both): Promise<Both<Side>> => {
      const [old, now] = await both
      return Promise.all([judgeSide(old, 'old', before, bySchema, all), judgeSide(now, 'now', after, bySchema, all)])
    }),
  )
}

/** Environments have the same name on both sides. */
function labelled(one: Readable | undefined, label: string): Readable[] {
  return one === undefined ? [] : [{ ...one, target: `${label} ${one.target}` }]
}

async function judgeSide(
  one: Readable | undefined,
  label: string,
  repository: string,
  bySchema: Promise<readonly Finding[]>,
  all: Promise<unknown>,
): Promise<Side | undefined> {
  if (one === undefined) return undefined
  const { judge } = await import('#check/pipeline.ts')
  const { target, environment } = one
  const own = bySchema.then((found) =>
    found.filter((finding) => finding.target === `${label} ${target}`).map((finding) => ({ ...finding, target })),
  )
  const { targets } = await judge([Promise.resolve(one)], false, false, own, () => all)
  const findings = (targets[0]?.findings ?? []).map((finding) => shownWithin(repository, finding))
  return { environment, findings, broken: findings.find(({ rule }) => unreadable.includes(rule)) }
}

/** Names the file of a finding as its repository has it, which may be a folder that goes when the diff ends. */
function shownWithin(repository: string, finding: Finding): Finding {
  if (finding.source === undefined) return finding
  const file = relative(repository, resolve(shownFrom(repository), finding.source.file))
  return { ...finding, source: { ...finding.source, file } }
}

function isSame(own: Rendered | undefined, other: Rendered | undefined): boolean {
  if (own === undefined || other === undefined || own.versions !== other.versions) return false
  return 'manifests' in own.outcome && 'manifests' in other.outcome && own.outcome.manifests === other.outcome.manifests
}
