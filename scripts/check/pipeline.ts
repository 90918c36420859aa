import { readFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { readInput } from '#cli/input.ts'
import { root, shownFrom, typedPath } from '#cli/paths.ts'
import { foldersNamed } from '#kubernetes/argocd/applications.ts'
import {
  createEnvironment,
  type Environment,
  isKubernetesGroup,
  type Surroundings,
} from '#kubernetes/model/environment.ts'
import type { Finding } from '#kubernetes/model/finding.ts'
import { groupOf, type KubeObject, nameOf } from '#kubernetes/model/objects.ts'
import { type Documents, readDocuments } from '#manifests/documents.ts'
import { environments, type Rendering, type Target } from '#manifests/kustomize.ts'
import { locateInFile, locateInKustomization } from '#manifests/source-locations.ts'
import { ownFacts } from '#platform/own-facts.ts'
import { readPlatform } from '#platform/platform-file.ts'
import { rules } from '#rules/index.ts'
import { builtInRules } from '#ruleset/built-in.ts'
import { validateRules } from '#validation/cel.ts'
import { type Manifests, validateSchemas } from '#validation/kubeconform.ts'
import type { CheckResult, TargetResult } from './check.ts'
import { type CheckConfig, emptyConfig, exemptionsIn, providedIn } from './config.ts'
import { configFor, readConfig, versionsChecker } from './config-file.ts'
import { addExcerpts } from './excerpts.ts'
import { annotatedExemptions, applyExemptions, type Exemption, unusedExemption } from './exemptions.ts'
import { noticesOf, repositoryFindings } from './repository-findings.ts'
import { applicable, runRules, type SwitchedOff } from './run-rules.ts'

/** A target with its documents read: what schemas, rules and admission look at. */
export interface Readable extends Manifests {
  readonly objects: readonly KubeObject[]
  readonly environment: Environment
  /** What went wrong before there was anything to look at. */
  readonly faults: readonly Finding[]
  /** Whether it is an environment of this repository, held to all its conventions. */
  readonly isEnvironment: boolean
  /** Whether it is what Argo CD is given for the environments: it holds none of their conventions. */
  readonly isDelivery: boolean
  readonly config: CheckConfig
  /** The content of a file that findings name. */
  contentOf(file: string): string | undefined
}

const ownConfig = await readConfig(root)
const platform = await readPlatform(root)
const checkVersions = await versionsChecker(root)

/** Reads a file of manifests, `-` being standard input. */
export async function readFile(file: string): Promise<Readable> {
  const name = file === '-' ? '<stdin>' : file
  const content = readInput(file)
  const config = await configFor(file === '-' ? typedPath('.') : resolve(typedPath(file), '..'), root, ownConfig)
  const contentOf = () => content
  return toReadable(name, readDocuments(content, name, name), {
    locate: locateInFile(name, content),
    isEnvironment: false,
    isDelivery: false,
    config,
    contentOf,
  })
}

/** The kustomizations of what Argo CD is given, as `check.yaml` names them. */
export const delivery: readonly Target[] = ownConfig.delivery.folders.map((name) => ({
  name,
  folder: join(root, name),
}))

/**
 * Reads what kustomize rendered. An environment of this repository must have its versions.yaml in order, too.
 * @param together filled with all that is checked together
 */
export async function readRender(
  { target, outcome }: { target: Target; outcome: Rendering },
  isEnvironment: boolean,
  together: Environment[] = [],
): Promise<Readable> {
  const base = shownFrom(target.folder)
  const versions = isEnvironment ? checkVersions(target) : []
  const context = {
    locate: locateInKustomization(target.folder, base),
    isEnvironment,
    isDelivery: delivery.some(({ folder }) => folder === target.folder),
    config: isEnvironment ? ownConfig : await configFor(target.folder, root, ownConfig),
    contentOf: (file: string) => readIfThere(resolve(base, file)),
  }
  if ('finding' in outcome) {
    return toReadable(target.name, { documents: [], objects: [], findings: [outcome.finding, ...versions] }, context)
  }
  const read = readDocuments(outcome.manifests, target.name)
  const own = isEnvironment ? ownFacts(root, target.folder, platform) : undefined
  const surroundings = { folder: relative(root, target.folder), own, together }
  return toReadable(target.name, { ...read, findings: [...versions, ...read.findings] }, context, surroundings)
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    // A folder, or a file that is gone by now: the finding stays, without the line's text.
    return undefined
  }
}

function toReadable(
  target: string,
  read: Documents,
  context: Pick<Readable, 'locate' | 'isEnvironment' | 'isDelivery' | 'config' | 'contentOf'>,
  surroundings: Surroundings = {},
): Readable {
  const { documents, objects } = read
  const faults = [...read.findings]
  if (objects.length === 0 && faults.length === 0) {
    const message = 'there is no object in it; expected Kubernetes manifests'
    faults.push({ rule: 'empty-render', severity: 'error', target, message, fix: 'Give a file that holds manifests.' })
  }
  const isWhole = context.isEnvironment || context.config !== emptyConfig
  const provided = [...providedIn(context.config, target), ...(context.isDelivery ? foldersNamed(objects, root) : [])]
  const environment = createEnvironment(target, objects, provided, isWhole, surroundings)
  return { target, documents, objects, faults, environment, ...context }
}

/**
 * Judges all targets by schemas, rules and, when asked for, admission.
 * @param map whether the result holds a map of each target, too
 * @param bySchema what their schemas find, where that is asked together with that of others
 * @param all what has to be read before rules look across: more than what is judged, where some of it has nothing to tell
 */
export async function judge(
  reading: readonly Promise<Readable>[],
  admit: boolean,
  map = false,
  bySchema: Promise<readonly Finding[]> = Promise.all(reading).then(askSchemas),
  all: () => Promise<unknown> = () => Promise.all(reading),
): Promise<CheckResult> {
  const [targets, byProcess, byRule] = await Promise.all([
    Promise.all(reading),
    askProcesses(reading, admit, bySchema),
    Promise.all(reading.map((readable) => askRules(readable, all))),
  ])
  const used = new Set<Exemption>()
  const results: TargetResult[] = []
  for (const [index, readable] of targets.entries()) {
    const processes = byProcess.filter((finding) => finding.target === readable.target)
    const found = [...readable.faults, ...processes, ...(byRule[index] ?? [])]
    results.push(summarize(readable, found, used, admit))
  }
  const unused = [...unusedEverywhere(targets, used, admit), ...aboutRepository(targets)]
  if (unused.length > 0 && results[0] !== undefined)
    results[0] = { ...results[0], findings: [...results[0].findings, ...unused] }
  const notices = noticesOf(
    root,
    targets.filter(({ isEnvironment }) => isEnvironment).map(({ target }) => target),
    platform,
  )
  if (!map) return { targets: results, rules: rules.length, notices }
  const { mapOf } = await import('#kubernetes/topology/connection-map.ts')
  const mapped = results.map((result, index) => {
    const environment = targets[index]?.environment
    return environment === undefined ? result : { ...result, map: mapOf(environment) }
  })
  return { targets: mapped, rules: rules.length, notices }
}

const ruleNames = new Set([...rules, ...builtInRules].map(({ id }) => id))

/** One target's result: its findings with their lines, less what is exempted. Notes in `used` which exemptions were needed. */
function summarize(readable: Readable, all: readonly Finding[], used: Set<Exemption>, admit: boolean): TargetResult {
  const { target, objects, environment, isEnvironment, isDelivery, config, locate, contentOf } = readable
  const { judged, unjudged } = isEnvironment ? { judged: all, unjudged: [] } : foreignKinds(all, objects)
  const annotated = annotatedExemptions(environment, locate)
  const exemptions = [...annotated, ...exemptionsIn(config, target)]
  const outcome = applyExemptions(target, judged, exemptions, ruleNames)
  for (const exemption of outcome.used) used.add(exemption)
  // What names its environments must be needed in each of them.
  const unused = exemptions.filter(
    (exemption) => exemption.environments !== undefined && !outcome.used.has(exemption) && canTell(exemption, admit),
  )
  const findings = [...outcome.findings, ...unused.map((exemption) => unusedExemption(exemption, target))]
  return {
    target,
    objects: objects.length,
    findings: addExcerpts(findings, contentOf, judged),
    exempted: outcome.exempted,
    switchedOff:
      isDelivery || objects.length === 0 ? [] : [...applicable(rules, environment, isEnvironment).off, ...unjudged],
  }
}

/** Exemptions without environments must be needed in one of them; that is known only when all were checked. */
function unusedEverywhere(targets: readonly Readable[], used: ReadonlySet<Exemption>, admit: boolean): Finding[] {
  const first = targets[0]
  const checked = targets.filter(({ isEnvironment }) => isEnvironment).map(({ target }) => target)
  if (first === undefined || !environments(root).every(({ name }) => checked.includes(name))) return []
  const unused = ownConfig.exemptions.filter(
    (exemption) => exemption.environments === undefined && !used.has(exemption) && canTell(exemption, admit),
  )
  const findings = unused.map((exemption) => unusedExemption(exemption, first.target))
  return [...addExcerpts(findings, first.contentOf)]
}

/** What is wrong in the repository beside its manifests; known only where all of it is checked. */
function aboutRepository(targets: readonly Readable[]): Finding[] {
  const first = targets[0]
  const checked = new Set(targets.map(({ target }) => target))
  const isAll = [...environments(root), ...delivery].every(({ name }) => checked.has(name))
  if (first === undefined || !isAll || !targets.some(({ isEnvironment }) => isEnvironment)) return []
  const all = targets.map(({ environment }) => environment)
  return repositoryFindings(root, first.target, all, ownConfig)
}

/** Refusals of the API server are found only when it is asked. */
function canTell({ rule }: Exemption, admit: boolean): boolean {
  return rule !== 'admission' || admit
}

/**
 * Other repositories use kinds of operators that this one knows nothing of. That no schema of theirs is here says nothing against them, so such
 * kinds are named as not judged. A kind that is unknown in a group of Kubernetes itself is misspelt or gone.
 */
function foreignKinds(findings: readonly Finding[], objects: readonly KubeObject[]) {
  const missing = findings.filter(({ rule }) => rule === 'schema-missing')
  if (missing.length === 0) return { judged: findings, unjudged: [] }
  const byName = new Map(objects.map((object) => [nameOf(object), object]))
  const foreign = new Map<string, number>()
  const judged = findings.filter(({ rule, object }) => {
    const found = rule === 'schema-missing' ? byName.get(object ?? '') : undefined
    if (found === undefined || isKubernetesGroup(groupOf(found.apiVersion))) return true
    const kind = `${found.kind} of ${found.apiVersion}`
    foreign.set(kind, (foreign.get(kind) ?? 0) + 1)
    return false
  })
  const unjudged: SwitchedOff[] = [...foreign].map(([kind, count]) => ({
    rule: 'schema',
    lacks: `a schema for ${kind} (${count} object${count === 1 ? '' : 's'})`,
  }))
  return { judged, unjudged }
}

const schemas = join(root, 'schemas')

/** What kubeconform finds; it is told of all targets at once. */
export async function askSchemas(targets: readonly Manifests[]): Promise<Finding[]> {
  return validateSchemas(targets, schemas)
}

/** What kubeconform, the rules of custom resources and the API server find; they are told of all targets at once. */
async function askProcesses(
  reading: readonly Promise<Readable>[],
  admission: boolean,
  schema: Promise<readonly Finding[]>,
): Promise<Finding[]> {
  const all = Promise.all(reading)
  const [bySchema, byRule, byServer] = await Promise.all([
    schema,
    all.then((targets) => validateRules(targets, schemas)),
    admission
      ? Promise.all([all, import('#validation/admission.ts')]).then(([targets, { admit }]) => admit(targets))
      : [],
  ])
  // As the API server does, which asks the rules of a definition only about what keeps to its schema.
  const wrong = new Set(bySchema.map(({ target, object }) => `${target} ${object}`))
  return [...bySchema, ...byRule.filter(({ target, object }) => !wrong.has(`${target} ${object}`)), ...byServer]
}

/** What the rules find in one target: those about it alone as soon as it is read, the others once all are. */
async function askRules(reading: Promise<Readable>, all: () => Promise<unknown>): Promise<Finding[]> {
  const { environment, locate, isEnvironment } = await reading
  const on = isEnvironment ? rules : applicable(rules, environment).on
  // Once the last target is read, the processes start first.
  await setImmediate()
  const alone = runRules(
    on.filter(({ across }) => !across),
    environment,
    locate,
  )
  await all()
  const together = runRules(
    on.filter(({ across }) => across),
    environment,
    locate,
  )
  return [...alone, ...together]
}
