import type { Environment } from '#kubernetes/model/environment.ts'
import { formatPath, type Path } from '#kubernetes/model/finding.ts'
import { withoutHashes } from '#kubernetes/model/generated-names.ts'
import { at, type Fields, type KubeObject, nameOf, toObject, type Value } from '#kubernetes/model/objects.ts'

/** One change to one rendered object. */
export interface Edit {
  readonly object: KubeObject
  /** The empty path means the whole object. */
  readonly path: Path
  /** Undefined removes what is at the path. An object that was not rendered is added. */
  readonly value: Value
}

/** Finds the places of a fault in one environment; gives the edits of each mutant. */
export type Seed = (environment: Environment) => Iterable<Edit | readonly Edit[]>

/** One kind of fault, seeded at every place of the rendered environments where it can occur. */
export interface MutationClass {
  readonly id: string
  /** What breaks in a cluster, from the semantics of Kubernetes and of the programs, not from what the rules look for. */
  readonly why: string
  /** Whether the API server rejects it; if not, the fault shows only at run time. `npm run mutate -- --prove` verifies it with a real server. */
  readonly refused: boolean
  /** The edits of each mutant; `all` are the clean environments, this one included. */
  readonly seed: (environment: Environment, all: readonly Environment[]) => Iterable<Edit | readonly Edit[]>
}

/** One environment with one fault. */
export interface Mutant {
  readonly class: MutationClass
  readonly environment: Environment
  readonly edits: readonly Edit[]
}

/** A fault that shows only at run time: the API server accepts it. */
export function broken(id: string, why: string, seed: MutationClass['seed']): MutationClass {
  return { id, why, refused: false, seed }
}

/** A fault that the API server rejects, as an object or as the pod created from it. */
export function refused(id: string, why: string, seed: MutationClass['seed']): MutationClass {
  return { id, why, refused: true, seed }
}

export function set(object: KubeObject, path: Path, value: Value): Edit {
  return { object, path, value }
}

export function remove(object: KubeObject, path: Path): Edit {
  return { object, path, value: undefined }
}

/** Removes the whole object. */
export function drop(object: KubeObject): Edit {
  return { object, path: [], value: undefined }
}

/** Adds an object that was not rendered. */
export function add(raw: Fields): Edit {
  const object = toObject(raw)
  if (object === undefined) throw new Error('an added object needs apiVersion, kind and metadata.name')
  return { object, path: [], value: raw }
}

/** Changes an existing string; yields nothing where there is none. */
export function* rewrite(object: KubeObject, path: Path, change: (text: string) => string): Generator<Edit> {
  const value = at(object.raw, ...path)
  if (typeof value === 'string' && change(value) !== value) yield set(object, path, change(value))
}

/** The objects of the mutant's environment; all but the changed ones are the original's own. */
export function mutatedObjects({ environment, edits }: Pick<Mutant, 'environment' | 'edits'>): KubeObject[] {
  const originals = new Set(environment.objects)
  const changed = new Map<KubeObject, Value>()
  for (const { object, path, value } of edits) {
    const draft = changed.has(object) ? changed.get(object) : structuredClone(object.raw)
    changed.set(object, path.length === 0 ? value : withValue(draft, path, value))
  }
  const result: KubeObject[] = []
  for (const object of environment.objects) {
    const mutated = changed.has(object) ? toObject(changed.get(object)) : object
    if (mutated !== undefined) result.push(mutated)
  }
  for (const [object, value] of changed) {
    const added = originals.has(object) ? undefined : toObject(value)
    if (added !== undefined) result.push(added)
  }
  return result
}

/** Sets or removes the value at a path of a draft, and returns the draft. */
function withValue(draft: Value, path: Path, value: Value): Value {
  let parent = draft
  for (const [depth, key] of path.slice(0, -1).entries()) {
    const isList = typeof path[depth + 1] === 'number'
    if (at(parent, key) === undefined) (parent as Record<string | number, Value>)[key] = isList ? [] : {}
    parent = at(parent, key)
  }
  const key = path.at(-1) as string | number
  if (value !== undefined) (parent as Record<string | number, Value>)[key] = value
  else if (Array.isArray(parent)) parent.splice(key as number, 1)
  else delete (parent as Record<string, Value>)[key]
  return draft
}

/**
 * Identifies the fault and its place independently of the environment: names of environments and the hashes of generated names are left out.
 * @param namespaces those of the environments
 */
export function siteOf({ class: { id }, edits }: Mutant, namespaces: readonly string[]): string {
  const parts = edits.map(
    ({ object, path, value }) => `${object.kind} ${object.name} ${path.join('/')} ${JSON.stringify(value)}`,
  )
  const site = `${id} ${parts.join(' ')}`
  return withoutHashes(namespaces.reduce((text, namespace) => text.replaceAll(namespace, 'namespace'), site))
}

/** Whether an edit changes its object. */
export function changesAnything({ edits }: Mutant): boolean {
  return edits.some(
    ({ object, path, value }) => path.length === 0 || JSON.stringify(at(object.raw, ...path)) !== JSON.stringify(value),
  )
}

/** The mutant's changes, as a diff of the fields that they touch. */
export function diffOf({ environment, edits }: Mutant): string {
  return edits.flatMap((edit) => [`${environment.name} ${nameOf(edit.object)}`, ...diffOfEdit(edit)]).join('\n')
}

function diffOfEdit({ object, path, value }: Edit): string[] {
  if (path.length === 0) return [value === undefined ? '- the whole object' : '+ the whole object']
  const before = at(object.raw, ...path)
  const name = formatPath(path)
  if (typeof before === 'string' && typeof value === 'string' && before.includes('\n'))
    return [name, ...changedLines(before, value)]
  const lines = before === undefined ? [] : [`- ${name}: ${short(before)}`]
  return value === undefined ? lines : [...lines, `+ ${name}: ${short(value)}`]
}

function changedLines(before: string, after: string): string[] {
  const [old, now] = [before.split('\n'), after.split('\n')]
  const removed = old.filter((line) => !now.includes(line)).map((line) => `- ${line.trim()}`)
  return [...removed, ...now.filter((line) => !old.includes(line)).map((line) => `+ ${line.trim()}`)]
}

function short(value: Value): string {
  const text = JSON.stringify(value)
  return text.length > 160 ? `${text.slice(0, 157)}...` : text
}
