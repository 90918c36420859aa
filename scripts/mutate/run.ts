import { join, relative } from 'node:path'
import { providedIn } from '#check/config.ts'
import { readConfig } from '#check/config-file.ts'
import { annotatedExemptions, applyExemptions } from '#check/exemptions.ts'
import { applicable, runRules } from '#check/run-rules.ts'
import { UsageError } from '#cli/errors.ts'
import { root } from '#cli/paths.ts'
import { foldersNamed } from '#kubernetes/argocd/applications.ts'
import { createEnvironment, type Environment } from '#kubernetes/model/environment.ts'
import type { Finding } from '#kubernetes/model/finding.ts'
import type { KubeObject } from '#kubernetes/model/objects.ts'
import { type ObjectDocument, readDocuments } from '#manifests/documents.ts'
import { environments, promotionOrder, render, type Target } from '#manifests/kustomize.ts'
import { ownFacts } from '#platform/own-facts.ts'
import { readPlatform } from '#platform/platform-file.ts'
import type { Rule } from '#rule/define-rule.ts'
import { rules } from '#rules/index.ts'
import { eachParallel } from '#system/process.ts'
import { validateRules } from '#validation/cel.ts'
import { type Manifests, validateSchemas } from '#validation/kubeconform.ts'
import { changesAnything, type Mutant, type MutationClass, mutatedObjects, siteOf } from './mutation.ts'

/** What the check says of a mutant. */
export interface Verdict {
  readonly mutant: Mutant
  /** The rules that find something; `schema` and the like stand for what is checked before any rule. Empty for a survivor. */
  readonly killers: readonly string[]
}

const config = await readConfig(root)
const platform = await readPlatform(root)
const nowhere = () => undefined
const ruleNames = new Set(rules.map(({ id }) => id))

/**
 * Renders the environments, the last of the promotion first: a fault that can be made at the same place of several environments is made there only.
 * @throws UsageError when one does not render or is not right by itself, since nothing could then be said about its mutants
 */
export async function cleanEnvironments(): Promise<Environment[]> {
  const order = promotionOrder(root)
  const rank = ({ name }: Target) => (order.includes(name) ? order.length - order.indexOf(name) : order.length + 1)
  const overlays = environments(root).sort((one, other) => rank(one) - rank(other))
  const delivery = config.delivery.folders.map((name) => ({ name, folder: join(root, name) }))
  const together: Environment[] = []
  const clean = await Promise.all(
    eachParallel([...overlays, ...delivery], async (target) => {
      const outcome = await render(target, root)
      if ('finding' in outcome) throw new UsageError(`${target.name} does not render: ${outcome.finding.message}`)
      const { objects, findings } = readDocuments(outcome.manifests, target.name)
      const folder = relative(root, target.folder)
      return { environment: toEnvironment({ name: target.name, folder, objects }, together), findings }
    }),
  )
  for (const { environment, findings } of clean) {
    const [fault] = [...findings, ...findingsOf(rulesFor(environment, rules), environment)]
    if (fault !== undefined)
      throw new UsageError(
        `${environment.name} is not right by itself (${fault.rule}): run \`npm run check\` and mend it first`,
      )
  }
  return clean.map(({ environment }) => environment)
}

function toEnvironment(
  { name, folder, objects }: Pick<Environment, 'name' | 'folder' | 'objects'>,
  together: Environment[],
): Environment {
  const folders = isDelivery(name) ? foldersNamed(objects, root) : []
  const own = isDelivery(name) || folder === undefined ? undefined : ownFacts(root, join(root, folder), platform)
  return createEnvironment(name, objects, [...providedIn(config, name), ...folders], true, { folder, own, together })
}

function isDelivery(name: string): boolean {
  return config.delivery.folders.includes(name)
}

/** As in the check: environments are held to all conventions, what Argo CD is given to those that it shares. */
function rulesFor(environment: Environment, all: readonly Rule[]): readonly Rule[] {
  return isDelivery(environment.name) ? applicable(all, environment).on : all
}

/** The findings of the rules, less those that an object's annotation exempts. */
function findingsOf(applied: readonly Rule[], environment: Environment): readonly Finding[] {
  const exemptions = annotatedExemptions(environment, nowhere)
  const found = runRules(applied, environment, nowhere)
  return applyExemptions(environment.name, found, exemptions, ruleNames).findings
}

/** Every mutant of the classes, each fault once a place. */
export function seedMutants(clean: readonly Environment[], classes: readonly MutationClass[]): Mutant[] {
  const mutants: Mutant[] = []
  for (const mutationClass of classes) {
    const sites = new Set<string>()
    for (const environment of clean)
      for (const seeded of mutationClass.seed(environment)) {
        const mutant = { class: mutationClass, environment, edits: 'object' in seeded ? [seeded] : seeded }
        const site = siteOf(mutant)
        if (sites.has(site) || !changesAnything(mutant)) continue
        sites.add(site)
        mutants.push(mutant)
      }
  }
  return mutants
}

/** Judges every mutant by documents, schemas (one process for all) and rules. */
export async function judgeMutants(mutants: readonly Mutant[]): Promise<Verdict[]> {
  const killers = mutants.map(() => new Set<string>())
  const manifests: Manifests[] = []
  for (const [index, mutant] of mutants.entries()) {
    const objects = mutatedObjects(mutant)
    for (const rule of brokenRules(mutant.environment, objects)) killers[index]?.add(rule)
    const documents = changedDocuments(mutant, objects)
    manifests.push({ target: `${index}`, documents, locate: nowhere })
    const read = readDocuments(documentsOf(mutant, objects, documents), mutant.environment.name)
    for (const { rule } of read.findings) killers[index]?.add(rule)
  }
  const schemas = join(root, 'schemas')
  for (const { target, rule } of [
    ...(await validateSchemas(manifests, schemas)),
    ...(await validateRules(manifests, schemas)),
  ])
    killers[Number(target)]?.add(rule)
  return mutants.map((mutant, index) => ({ mutant, killers: [...(killers[index] ?? [])] }))
}

/** What is in one environment alone is found by `parity`, whether it is a fault or none: it would count every mutant as detected. */
const judging = rules.filter(({ id }) => id !== 'parity')

function brokenRules(original: Environment, objects: readonly KubeObject[]): Set<string> {
  const others = original.together.filter((other) => other !== original)
  const together: Environment[] = []
  const mutated = toEnvironment({ ...original, objects }, together)
  const found = findingsOf(rulesFor(mutated, judging), mutated)
  if (!isDelivery(original.name)) {
    // That of the others nothing changes is known: they look at what Argo CD is given alone.
    together.push(...others)
    return new Set([...found, ...runRules(across, mutated, nowhere)].map(({ rule }) => rule))
  }
  const all = [mutated, ...others.map((other) => toEnvironment(other, together))]
  return new Set([...found, ...all.flatMap((one) => runRules(across, one, nowhere))].map(({ rule }) => rule))
}

const across = judging.filter((rule) => rule.across)

/** The objects that the mutant changed or added. */
function changedDocuments({ environment }: Mutant, objects: readonly KubeObject[]): ObjectDocument[] {
  const originals = new Set(environment.objects)
  return objects
    .filter((object) => !originals.has(object))
    .map((object) => ({ body: JSON.stringify(object.raw), objects: [object] }))
}

/** The changed objects as YAML, with whatever has the name of one of them. */
function documentsOf(mutant: Mutant, objects: readonly KubeObject[], changed: readonly ObjectDocument[]): string {
  const namesakes = objects.filter((object) =>
    changed.some(
      ({ objects: [own] }) =>
        own !== object && own?.kind === object.kind && own.name === object.name && own.namespace === object.namespace,
    ),
  )
  // Most faults leave the identities of the objects as they are; then there is nothing to ask.
  const same = namesakes.length === 0 && objects.length >= mutant.environment.objects.length
  return same
    ? ''
    : [...namesakes.map(({ raw }) => JSON.stringify(raw)), ...changed.map(({ body }) => body)].join('\n---\n')
}
