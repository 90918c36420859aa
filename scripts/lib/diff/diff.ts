import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createEnvironment } from '../environment.ts'
import { UsageError } from '../errors.ts'
import { environments, type Rendering, render, type Target } from '../kustomize.ts'
import { eachParallel } from '../process.ts'
import { root } from '../root.ts'
import { type Base, findBase, withFilesOf } from './base.ts'
import { diffEnvironment, type EnvironmentDiff, type Side } from './environments.ts'
import { highest, type Risk } from './risk.ts'

/** What a merge does to every environment that was asked for. */
export interface Diff {
  readonly base: Base
  readonly risk: Risk
  readonly environments: readonly EnvironmentDiff[]
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
  return withFilesOf(root, base.commit, async (folder) => {
    const names = namesOf(options, folder)
    // Both sides in one queue, the environments in turn, so that each pair is there as early as can be.
    const all = names.flatMap((name) => [folder, root].map((repository) => ({ name, repository })))
    const renders = eachParallel(all, ({ name, repository }) => renderIn(repository, name))
    const pairs = names.map((_, index) => ({ before: renders[2 * index], after: renders[2 * index + 1] }))
    const [before, after] = await Promise.all([
      judgeSide(pairs.map(async (pair) => ({ own: await pair.before, other: await pair.after }))),
      judgeSide(pairs.map(async (pair) => ({ own: await pair.after, other: await pair.before }))),
    ])
    const side = (sides: ReadonlyMap<string, Side>, name: string) =>
      sides.get(name) ?? { environment: createEnvironment(name, []), findings: [] }
    const diffs = names.map((name) => diffEnvironment(side(before, name), side(after, name)))
    return { base, risk: highest(diffs.map(({ risk }) => risk)), environments: diffs }
  })
}

function namesOf(options: DiffOptions, folder: string): string[] {
  const known = [...environments(root), ...environments(folder)].map(({ name }) => name)
  const names = [...new Set(known)]
  if (names.length === 0)
    throw new UsageError('there is no environment: no folder of overlays/ holds a kustomization.yaml')
  for (const name of options.environments)
    if (!names.includes(name))
      throw new UsageError(`unknown environment "${name}"; expected one of ${names.join(', ')}`)
  return options.environments.length > 0 ? [...new Set(options.environments)] : names
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
