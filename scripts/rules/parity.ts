import type { Environment } from '#kubernetes/model/environment.ts'
import { formatPath, type Path } from '#kubernetes/model/finding.ts'
import { withoutHashes } from '#kubernetes/model/generated-names.ts'
import {
  at,
  existing,
  type Fields,
  fields,
  groupOf,
  type KubeObject,
  nameOf,
  show,
  text,
  type Value,
} from '#kubernetes/model/objects.ts'
import { perEnvironment } from '#kubernetes/model/per-environment.ts'
import { defineRule, type Report } from '#rule/define-rule.ts'

/** Fields that may differ. Everything else has to be the same: kinds, names, policies, security settings, probes, alerts, and the set of keys. */
const mayDiffer = new Set([
  // Sizes and replicas.
  'resources',
  'hard',
  'limits',
  'storage',
  'sizeLimit',
  'replicas',
  'minReplicas',
  'maxReplicas',
  'minReplicaCount',
  'maxReplicaCount',
  'idleReplicaCount',
  'minAvailable',
  'maxUnavailable',
  // Where it runs.
  'nodeSelector',
  'tolerations',
  'affinity',
  'topologySpreadConstraints',
  'runtimeClassName',
  'storageClassName',
  // Hosts.
  'hostname',
  'hostnames',
  'host',
  'hosts',
  // Versions.
  'image',
  'app.kubernetes.io/version',
])

/** Mappings of which only the keys have to be the same: the values may differ. */
const keysOnly = new Set(['data', 'binaryData', 'stringData'])

export default defineRule({
  id: 'parity',
  category: 'environments',
  severity: 'error',
  summary:
    'Environments that check.yaml lists under parity differ only in sizes, replicas, placement, hosts, versions and values of settings.',
  why: 'Whatever only one of them has was never tested before it: a policy, a probe or a setting that is missing in staging shows its bug in prod.',
  fix: 'Make the change in both, or in the base that they share.',
  checkAll(environments, reportIn) {
    for (const environment of environments)
      for (const other of environments) checkPair(environment, other, reportIn(environment))
  },
})

/** Reports what is in one of the two alone, and in the later one of them what differs. */
function checkPair(environment: Environment, other: Environment, report: Report): void {
  const isLater = isLaterThan(environment, other)
  if (!isLater && !isLaterThan(other, environment)) return
  const theirs = byIdentity(other)
  for (const [id, object] of byIdentity(environment)) {
    const counterpart = theirs.get(id)
    if (counterpart === undefined)
      report(
        object,
        [],
        `${nameOf(object)} is in ${environment.name}, but not in ${other.name}`,
        `Render the ${object.kind} in both, or in neither.`,
      )
    else if (isLater) compare(environment, other, object, counterpart, report)
  }
}

/** Whether the other one is before this one in the list of those that have to be alike. */
function isLaterThan({ name, known }: Environment, other: Environment): boolean {
  return known.parity.slice(0, known.parity.indexOf(name) + 1).includes(other.name) && other.name !== name
}

/** The objects by kind and name, without the parts of a name that differ per environment: the environment's name and generated hashes. */
const byIdentity = perEnvironment(
  (environment) =>
    new Map(
      environment.objects.map((object) => {
        const name = common(environment, object.name)
        return [`${groupOf(object.apiVersion)} ${object.kind} ${common(environment, object.namespace)}/${name}`, object]
      }),
    ),
)

/** A text without the parts that differ per environment. */
function common(environment: Environment, value: string): string {
  return withoutHashes(value).replace(ownName(environment), '*')
}

const ownName = perEnvironment(({ name }) => new RegExp(`\\b${name.replace(/\W/g, '\\$&')}\\b`, 'g'))

function compare(
  one: Environment,
  other: Environment,
  object: KubeObject,
  counterpart: KubeObject,
  report: Report,
): void {
  visit(object.raw, counterpart.raw, [])

  function visit(here: Value, there: Value, path: Path): void {
    const key = path.at(-1)
    if (typeof key === 'string' && mayDiffer.has(key)) return
    if (Array.isArray(here) && Array.isArray(there)) visitList(here, there, path)
    else if (isMapping(here) && isMapping(there)) visitFields(here, there, path)
    else if (!isSame(here, there)) reportAt(path, describe(here, there, path))
  }

  function reportAt(path: Path, message: string): void {
    const fix = `Make ${formatPath(path)} the same in both: set it in the base that they share.`
    report(object, existing(object.raw, path), message, fix)
  }

  function visitFields(here: Fields, there: Fields, path: Path): void {
    const isSettings = keysOnly.has(String(path.at(-1)))
    const isVariable = text(here.name) !== undefined
    for (const field of new Set([...Object.keys(here), ...Object.keys(there)])) {
      const isInBoth = here[field] !== undefined && there[field] !== undefined
      // The value of a setting may differ; whether it is set, and from which source, may not.
      if (isInBoth && (isSettings || (isVariable && field === 'value'))) continue
      visit(here[field], there[field], [...path, field])
    }
  }

  /** Items with unique names are compared by name, others by position. */
  function visitList(here: readonly Value[], there: readonly Value[], path: Path): void {
    const [own, theirs] = [namesOf(here), namesOf(there)]
    if (own === undefined || theirs === undefined) {
      if (here.length !== there.length) reportAt(path, describe(here, there, path))
      else for (const [index, item] of here.entries()) visit(item, there[index], [...path, index])
      return
    }
    for (const [index, item] of here.entries()) visit(item, there[theirs.indexOf(own[index] ?? '')], [...path, index])
    for (const name of theirs) if (!own.includes(name)) reportAt(path, `lacks ${name}, which ${other.name} has`)
  }

  function isSame(here: Value, there: Value): boolean {
    if (here === there) return true
    return typeof here === 'string' && typeof there === 'string' && common(one, here) === common(other, there)
  }

  function describe(here: Value, there: Value, path: Path): string {
    const field = path.at(-1)
    if (here === undefined) return `lacks ${field}, which is ${show(there)} in ${other.name}`
    if (there === undefined)
      return `has ${typeof field === 'number' ? show(at(here, 'name') ?? here) : field}, which ${other.name} does not have`
    return `is ${show(here)}, but ${show(there)} in ${other.name}`
  }
}

/** The names of a list's items; undefined where not every item has a unique one. */
function namesOf(list: readonly Value[]): string[] | undefined {
  const names = list.flatMap((item) => text(at(item, 'name')) ?? [])
  return new Set(names).size === list.length ? names : undefined
}

function isMapping(value: Value): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && fields(value) === value
}
