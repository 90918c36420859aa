import { normalize } from 'node:path'
import type { Environment } from '#kubernetes/model/environment.ts'
import type { Path } from '#kubernetes/model/finding.ts'
import { at, fields, items, type KubeObject, text, type Value } from '#kubernetes/model/objects.ts'
import { perEnvironment } from '#kubernetes/model/per-environment.ts'
import { generateApplication, parametersOf } from './application-sets.ts'

/** An Application of Argo CD, written out or made by an ApplicationSet. A text that a set fills in only in the cluster still has its `{{`. */
export interface Application {
  readonly name: string
  /** What it is written in. */
  readonly object: KubeObject
  /** The path of its spec in that object. */
  readonly path: Path
  readonly spec: Value
}

/** Every Application of an environment, with those that its ApplicationSets make. */
export const applicationsOf = perEnvironment((environment): readonly Application[] => [
  ...environment.ofKind('Application', 'argoproj.io').map((object) => ({
    name: object.name,
    object,
    path: ['spec'],
    spec: object.raw.spec,
  })),
  ...environment.ofKind('ApplicationSet', 'argoproj.io').flatMap((object) =>
    parametersOf(object).map((parameters) => {
      const { generated } = generateApplication(object, parameters)
      const name = text(at(generated, 'metadata', 'name')) ?? object.name
      return { name, object, path: ['spec', 'template', 'spec'], spec: at(generated, 'spec') }
    }),
  ),
])

/** What an Application renders. */
interface ApplicationSource {
  readonly path: Path
  readonly repository: string | undefined
  /** The folder in the repository, without `./` and `/` at its ends; undefined for a chart. */
  readonly folder: string | undefined
}

/** The sources of an Application whose texts are known; its `ref`s to values of a chart render nothing. */
export function sourcesOf({ path, spec }: Application): ApplicationSource[] {
  const several = items(at(spec, 'sources'))
  const list = several.length > 0 ? several : [at(spec, 'source')]
  return list.flatMap((raw, index) => {
    const folder = text(at(raw, 'path'))
    if (raw === undefined || (at(raw, 'ref') !== undefined && folder === undefined)) return []
    const isChart = at(raw, 'chart') !== undefined || folder === undefined
    return [
      {
        path: [...path, ...(several.length > 0 ? ['sources', index] : ['source'])],
        repository: filled(text(at(raw, 'repoURL'))),
        folder: isChart ? undefined : filled(normalize(folder).replace(/^\.?\/+|\/+$/g, '')),
      },
    ]
  })
}

/** The text, unless an ApplicationSet fills it in only in the cluster. */
export function filled(value: string | undefined): string | undefined {
  return value?.includes('{{') ? undefined : value
}

/** Where an Application goes: the cluster as it names it, and the namespace of what names none. */
interface Destination {
  readonly server: string | undefined
  readonly name: string | undefined
  readonly namespace: string | undefined
}

export function destinationOf({ spec }: Application): Destination {
  const part = (field: string) => filled(text(at(spec, 'destination', field)))
  return { server: part('server'), name: part('name'), namespace: part('namespace') }
}

/** An Application that renders an environment, and where it is written. */
export interface Deployment {
  readonly application: Application
  readonly writtenIn: Environment
}

/** The Applications in some environments that render the folder of one. */
export function deploymentsOf({ folder: own }: Environment, environments: readonly Environment[]): Deployment[] {
  if (own === undefined) return []
  return environments.flatMap((writtenIn) =>
    applicationsOf(writtenIn)
      .filter((application) =>
        sourcesOf(application).some(
          ({ repository, folder }) => folder === own && writtenIn.known.repositories.includes(repository ?? ''),
        ),
      )
      .map((application) => ({ application, writtenIn })),
  )
}

/** Whether a pattern of an AppProject matches, as Argo CD matches: `*` stops at separators, `**` does not. Undefined for a form that is not read here. */
export function globMatches(pattern: string, value: string, separator = ''): boolean | undefined {
  if (pattern === '*') return true
  if (/[[\]{}\\]/.test(pattern)) return undefined
  const key = `${separator} ${pattern}`
  const compiled = globs.get(key) ?? compileGlob(pattern, separator)
  globs.set(key, compiled)
  return compiled.test(value)
}

const globs = new Map<string, RegExp>()

function compileGlob(pattern: string, separator: string): RegExp {
  const some = separator === '' ? '.*' : `[^${separator}]*`
  const source = pattern.replace(/\*\*|[*?]|[.+^$()|/]/g, (sign) =>
    sign === '**' ? '.*' : sign === '*' ? some : sign === '?' ? '.' : `\\${sign}`,
  )
  return new RegExp(`^${source}$`, 's')
}

/** The AppProject of an Application, where it is rendered beside it. */
export function projectOf(environment: Environment, { spec }: Application): KubeObject | undefined {
  const name = text(at(spec, 'project'))
  return environment.ofKind('AppProject', 'argoproj.io').find((project) => project.name === name)
}

/** True, false, or undefined where it is not known. */
type Known = boolean | undefined

/** Whether an AppProject lets its Applications take from a repository. */
export function admitsRepository(project: KubeObject, repository: string): Known {
  const plain = (address: string) => address.toLowerCase().replace(/(?:\.git)?\/?$/, '')
  const patterns = items(at(project.raw, 'spec', 'sourceRepos')).flatMap((pattern) => text(pattern) ?? [])
  if (patterns.some((pattern) => pattern.startsWith('!'))) return undefined
  return any(patterns.map((pattern) => globMatches(plain(pattern), plain(repository), '/')))
}

/** Whether an AppProject lets its Applications into a namespace of a cluster. */
export function admitsDestination(project: KubeObject, destination: Destination): Known {
  const entries = items(at(project.raw, 'spec', 'destinations'))
  // `!kube-system` revokes what other entries allow.
  if (entries.some((entry) => Object.values(fields(entry)).some((value) => text(value)?.startsWith('!'))))
    return undefined
  return any(
    entries.map((entry) => {
      const cluster = isCluster(entry, destination)
      const namespace = matches(at(entry, 'namespace'), destination.namespace)
      return cluster === false || namespace === false ? false : cluster && namespace
    }),
  )
}

/** One may name the cluster that the other gives by its address: then it is not known whether they are the same. */
function isCluster(entry: Value, { server, name }: Destination): Known {
  const own = name === 'in-cluster' ? 'https://kubernetes.default.svc' : undefined
  const byServer = matches(at(entry, 'server'), server ?? own)
  const byName = matches(at(entry, 'name'), name)
  return byServer || byName || (byServer ?? byName)
}

function matches(pattern: Value, value: string | undefined): Known {
  if (pattern === '*') return true
  return typeof pattern !== 'string' || value === undefined ? undefined : globMatches(pattern, value)
}

function any(verdicts: readonly Known[]): Known {
  return verdicts.includes(true) || (verdicts.includes(undefined) ? undefined : false)
}
