import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createEnvironment } from '../environment.ts'
import { UsageError } from '../errors.ts'
import { environments, type Rendering, render, type Target } from '../kustomize.ts'
import { eachParallel } from '../process.ts'
import { root } from '../root.ts'
import { type ApplicationChange, applicationChanges } from './applications.ts'
import { type Base, findBase, withFilesOf } from './base.ts'
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
}

/**
 * Renders the working tree and the commit it left the base at, checks both by the rules of the working tree, and compares them.
 * @throws UsageError when there is no such commit or environment
 */
export async function diff(options: DiffOptions): Promise<Diff> {
  const base = await findBase(root, options.base)
  return withFilesOf(root, base.commit, (folder) => compareFolders(folder, root, base, options.environments))
}

/** Renders, judges and compares the environments of two folders; all of them where none is named. */
export async function compareFolders(
  before: string,
  after: string,
  base: Base,
  wanted: readonly string[],
): Promise<Diff> {
  const names = namesOf(before, after, wanted)
  // Both sides in one queue, the environments in turn, so that each pair is there as early as can be.
  const all = names.flatMap((name) => [before, after].map((repository) => ({ name, repository })))
  const renders = eachParallel(all, ({ name, repository }) => renderIn(repository, name))
  const pairs = names.map((_, index) => ({ old: renders[2 * index], now: renders[2 * index + 1] }))
  const [old, now] = await Promise.all([
    judgeSide(pairs.map(async (pair) => ({ own: await pair.old, other: await pair.now }))),
    judgeSide(pairs.map(async (pair) => ({ own: await pair.now, other: await pair.old }))),
  ])
  const side = (sides: ReadonlyMap<string, Side>, name: string) =>
    sides.get(name) ?? { environment: createEnvironment(name, []), findings: [] }
  const diffs = names.map((name) => diffEnvironment(side(old, name), side(now, name)))
  const applications = applicationChanges(before, after)
  const risk = highest([...diffs, ...applications].map((part) => part.risk))
  return { base, risk, environments: diffs, applications }
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
async function renderIn(repository: string, name: string): Promise<Rendered | undefined> {
  const target = environments(repository).find((one) => one.name === name)
  if (target === undefined) return undefined
  const file = join(target.folder, 'versions.yaml')
  const versions = existsSync(file) ? readFileSync(file, 'utf8') : ''
  return { target, outcome: await render(target, repository), versions }
}

/** Findings after which the objects of a side are not all known. */
const unreadable = ['render', 'empty-render', 'yaml-syntax', 'not-an-object']

/** Reads and judges one side, by environment. What is the same on both sides is left out: it has no difference to find. */
async function judgeSide(
  renders: readonly Promise<{ own: Rendered | undefined; other: Rendered | undefined }>[],
): Promise<ReadonlyMap<string, Side>> {
  const { judge, readRender } = await import('../judge.ts')
  const differing = (await Promise.all(renders)).flatMap(({ own, other }) => (own && !isSame(own, other) ? [own] : []))
  const reading = differing.map(async (rendered) => readRender(rendered, true))
  const { targets } = await judge(reading, false)
  const sides = new Map<string, Side>()
  for (const { environment } of await Promise.all(reading)) {
    const findings = targets.find(({ target }) => target === environment.name)?.findings ?? []
    sides.set(environment.name, {
      environment,
      findings,
      broken: findings.find(({ rule }) => unreadable.includes(rule)),
    })
  }
  return sides
}

function isSame(own: Rendered, other: Rendered | undefined): boolean {
  if (other === undefined || own.versions !== other.versions) return false
  return 'manifests' in own.outcome && 'manifests' in other.outcome && own.outcome.manifests === other.outcome.manifests
}
