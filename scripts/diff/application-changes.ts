import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { generateApplication, parametersOf } from '#kubernetes/argocd/application-sets.ts'
import { at, fields, items, type KubeObject, nameOf, text, toObject, type Value } from '#kubernetes/model/objects.ts'
import { diffFields, type FieldChange } from './fields.ts'
import type { Risk } from './risk.ts'

/** What happens to one Argo CD Application. */
export interface ApplicationChange {
  readonly application: string
  readonly action: 'create' | 'change' | 'delete' | 'keep'
  readonly risk: Risk
  readonly reasons: readonly string[]
  readonly changes: readonly FieldChange[]
}

interface Application {
  /** Its labels, annotations, finalizers and spec. */
  readonly content: Value
  /** The ApplicationSet that generates it; undefined for one that is written out. */
  readonly set: KubeObject | undefined
  /** Whether deleting it also deletes the resources that it manages. */
  readonly cascades: boolean
  /** Why its set cannot generate all of it; undefined where it can. */
  readonly fault?: string | undefined
}

/** Which Applications are created, changed and deleted, by the files in `argocd/` of two folders, and which are affected by a change of their project. */
export function applicationChanges(before: string, after: string): ApplicationChange[] {
  const [oldObjects, newObjects] = [readObjects(join(before, 'argocd')), readObjects(join(after, 'argocd'))]
  const [old, now] = [applicationsOf(oldObjects), applicationsOf(newObjects)]
  const projects = changedProjects(oldObjects, newObjects)
  return [...new Set([...old.keys(), ...now.keys()])].sort().flatMap((name) => {
    const [one, other] = [old.get(name), now.get(name)]
    if (one === undefined)
      return [{ application: name, action: 'create', risk: 'medium', reasons: generatedBy(other), changes: [] }]
    if (other === undefined) return [removedApplication(name, one, newObjects)]
    const changes = diffFields(one.content, other.content)
    const project = text(at(other.content, 'spec', 'project')) ?? ''
    const reasons = [
      ...generatedBy(other),
      ...(projects.has(project) ? [`its AppProject ${project} ${projects.get(project)}`] : []),
    ]
    if (changes.length === 0 && !projects.has(project)) return []
    return [{ application: name, action: 'change', risk: 'medium', reasons, changes }]
  })
}

/** Every object in the YAML files of a folder. Patches and kustomizations do not count. */
function readObjects(folder: string): KubeObject[] {
  if (!existsSync(folder)) return []
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.yaml'))
  return names.sort().flatMap((name) => {
    const content = readFileSync(join(folder, name), 'utf8')
    if (!/^kind: (Application|ApplicationSet|AppProject)$/m.test(content)) return []
    const documents = parseAllDocuments(content)
    return 'empty' in documents
      ? []
      : documents.flatMap((document) => toObject(document.toJS({ maxAliasCount: 100 })) ?? [])
  })
}

function applicationsOf(objects: readonly KubeObject[]): Map<string, Application> {
  const found = new Map<string, Application>()
  for (const object of objects) {
    if (object.kind === 'Application') {
      const finalizers = items(at(object.raw, 'metadata', 'finalizers'))
      const cascades = finalizers.some((one) => String(one).startsWith('resources-finalizer'))
      found.set(object.name, { content: contentOf(object.raw), set: undefined, cascades })
    }
    if (object.kind !== 'ApplicationSet') continue
    const cascades = at(object.raw, 'spec', 'syncPolicy', 'preserveResourcesOnDeletion') !== true
    for (const parameters of parametersOf(object)) {
      const { generated, fault } = generateApplication(object, parameters)
      const name = text(at(generated, 'metadata', 'name')) ?? object.name
      found.set(name, { content: contentOf(generated), set: object, cascades, fault })
    }
  }
  return found
}

function contentOf(application: Value): Value {
  const { labels, annotations, finalizers } = fields(at(application, 'metadata'))
  const { kind, apiVersion, metadata, status, ...rest } = fields(application)
  return { metadata: { labels, annotations, finalizers }, ...rest }
}

function removedApplication(
  name: string,
  { set, cascades }: Application,
  after: readonly KubeObject[],
): ApplicationChange {
  const base = { application: name, changes: [] }
  // The policy that counts is the new one, as long as the set is there.
  const current = after.find((object) => object.kind === 'ApplicationSet' && object.name === set?.name)
  const sync = text(at(current?.raw, 'spec', 'syncPolicy', 'applicationsSync')) ?? 'sync'
  if (set !== undefined && current !== undefined && (sync === 'create-update' || sync === 'create-only'))
    return {
      ...base,
      action: 'keep',
      risk: 'medium',
      reasons: [`${nameOf(set)} no longer lists it, but keeps it (applicationsSync: ${sync}); delete it by hand`],
    }
  const what = cascades
    ? 'all resources it manages are deleted with it, including volumes'
    : 'its resources stay in the cluster, unmanaged'
  return {
    ...base,
    action: 'delete',
    risk: cascades ? 'critical' : 'high',
    reasons: [what, ...(set === undefined ? [] : [`${nameOf(set)} no longer generates it`])],
  }
}

function generatedBy(application: Application | undefined): string[] {
  if (application?.set === undefined) return []
  const { set, fault } = application
  const stops = fault === undefined ? [] : [`the result of its template is unknown: ${fault}`]
  return [`generated by ${nameOf(set)}`, ...stops]
}

/** What happens to each AppProject that differs, by name. */
function changedProjects(before: readonly KubeObject[], after: readonly KubeObject[]): Map<string, string> {
  const found = new Map<string, string>()
  for (const object of after) {
    if (object.kind !== 'AppProject') continue
    const old = before.find(({ kind, name }) => kind === 'AppProject' && name === object.name)
    const changes = old === undefined ? [] : diffFields(old.raw.spec, object.raw.spec)
    const parts = new Set(changes.map(({ path }) => String(path[0])))
    if (parts.size > 0) found.set(object.name, `has changed: ${[...parts].join(', ')}`)
  }
  for (const { kind, name } of before)
    if (kind === 'AppProject' && !after.some((object) => object.kind === kind && object.name === name))
      found.set(name, 'is removed: Argo CD no longer syncs it')
  return found
}
