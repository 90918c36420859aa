import { join, relative } from 'node:path'
import { providedIn } from '#check/config.ts'
import { readConfig } from '#check/config-file.ts'
import { foldersNamed } from '#check/delivery.ts'
import { annotatedExemptions, applyExemptions } from '#check/exemptions.ts'
import { applicable, runRules } from '#check/run-rules.ts'
import { UsageError } from '#cli/errors.ts'
import { root } from '#cli/paths.ts'
import { createEnvironment, type Environment } from '#kubernetes/model/environment.ts'
import type { Finding } from '#kubernetes/model/finding.ts'
import type { KubeObject } from '#kubernetes/model/objects.ts'
import { type ObjectDocument, readDocuments } from '#manifests/documents.ts'
import { environments, render } from '#manifests/kustomize.ts'
import type { Rule } from '#rule/define-rule.ts'
import { rules } from '#rules/index.ts'
import { ruleIds } from '#ruleset/catalog.ts'
import { eachParallel } from '#system/process.ts'
import { validateRules } from '#validation/cel.ts'
import { type Manifests, validateSchemas } from '#validation/kubeconform.ts'
import { changesAnything, type Mutant, type MutationClass, mutatedObjects, siteOf } from './mutation.ts'

/** What the check finds in a mutant. */
export interface Verdict {
  readonly mutant: Mutant
  /** The rules that report a finding, including built-in checks such as `schema`. Empty for a survivor. */
  readonly killers: readonly string[]
}

const config = await readConfig(root)
const nowhere = () => undefined

/**
 * Renders the environments, the last of the promotion first: a fault that is possible at the same place of several environments is seeded there only.
 * @throws UsageError when one does not render or has findings, since the results of its mutants would mean nothing
 */
export async function cleanEnvironments(): Promise<Environment[]> {
  const rank = ['prod', 'staging', 'dev']
  const overlays = environments(root).sort(
    (a, b) => ((rank.indexOf(a.name) + 4) % 4) - ((rank.indexOf(b.name) + 4) % 4),
  )
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
        `${environment.name} has findings without any mutation (${fault.rule}): run \`npm run check\` and fix them first`,
      )
  }
  return clean.map(({ environment }) => environment)
}

function toEnvironment(
  { name, folder, objects }: Pick<Environment, 'name' | 'folder' | 'objects'>,
  together: Environment[],
): Environment {
  const folders = isDelivery(name) ? foldersNamed(objects, root) : []
  return createEnvironment(name, objects, [...providedIn(config, name), ...folders], true, { folder, together })
}

function isDelivery(name: string): boolean {
  return config.delivery.folders.includes(name)
}

/** As in the check: all rules apply to environments, the applicable ones to the manifests of Argo CD. */
function rulesFor(environment: Environment, all: readonly Rule[]): readonly Rule[] {
  return isDelivery(environment.name) ? applicable(all, environment).on : all
}

/** The findings of the rules, without those that an object's annotation exempts. */
function findingsOf(applied: readonly Rule[], environment: Environment): readonly Finding[] {
  const exemptions = annotatedExemptions(environment, nowhere)
  const found = runRules(applied, environment, nowhere)
  return applyExemptions(environment.name, found, exemptions, ruleIds).findings
}

/** Every mutant of the classes, each fault once per place. */
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

/** Checks every mutant: documents, schemas (one process for all) and rules. */
export async function checkMutants(mutants: readonly Mutant[]): Promise<Verdict[]> {
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

/** `parity` reports every difference between environments, fault or not: it would count every mutant as detected. */
const countedRules = rules.filter(({ id }) => id !== 'parity')

function brokenRules(original: Environment, objects: readonly KubeObject[]): Set<string> {
  const others = original.together.filter((other) => other !== original)
  const together: Environment[] = []
  const mutated = toEnvironment({ ...original, objects }, together)
  const found = findingsOf(rulesFor(mutated, countedRules), mutated)
  if (!isDelivery(original.name)) {
    // The others do not change: their rules only read the manifests of Argo CD.
    together.push(...others)
    return new Set([...found, ...runRules(across, mutated, nowhere)].map(({ rule }) => rule))
  }
  const all = [mutated, ...others.map((other) => toEnvironment(other, together))]
  return new Set([...found, ...all.flatMap((one) => runRules(across, one, nowhere))].map(({ rule }) => rule))
}

const across = countedRules.filter((rule) => rule.across)

/** The objects that the mutant changed or added. */
function changedDocuments({ environment }: Mutant, objects: readonly KubeObject[]): ObjectDocument[] {
  const originals = new Set(environment.objects)
  return objects
    .filter((object) => !originals.has(object))
    .map((object) => ({ body: JSON.stringify(object.raw), objects: [object] }))
}

/** The changed objects as YAML, with every object that has the name of one of them. */
function documentsOf(mutant: Mutant, objects: readonly KubeObject[], changed: readonly ObjectDocument[]): string {
  const namesakes = objects.filter((object) =>
    changed.some(
      ({ objects: [own] }) =>
        own !== object && own?.kind === object.kind && own.name === object.name && own.namespace === object.namespace,
    ),
  )
  // Most faults do not change the identity of any object; then there is nothing to check.
  const same = namesakes.length === 0 && objects.length >= mutant.environment.objects.length
  return same
    ? ''
    : [...namesakes.map(({ raw }) => JSON.stringify(raw)), ...changed.map(({ body }) => body)].join('\n---\n')
}
