import { join, relative } from 'node:path'
import { type Checker, createChecker, openChecker } from '#check/checker.ts'
import { readConfig } from '#check/config-file.ts'
import { UsageError } from '#cli/errors.ts'
import { root } from '#cli/paths.ts'
import type { Environment } from '#kubernetes/model/environment.ts'
import type { KubeObject } from '#kubernetes/model/objects.ts'
import { type ObjectDocument, readDocuments } from '#manifests/documents.ts'
import { environments, promotionOrder, render, type Target } from '#manifests/kustomize.ts'
import { readPlatform } from '#platform/platform-file.ts'
import { rules } from '#rules/index.ts'
import { eachParallel } from '#system/process.ts'
import type { Manifests } from '#validation/kubeconform.ts'
import { changesAnything, type Mutant, type MutationClass, mutatedObjects, siteOf } from './mutation.ts'

/** What the check finds in a mutant. */
export interface Verdict {
  readonly mutant: Mutant
  /** The rules that report a finding, including built-in checks such as `schema`. Empty for a survivor. */
  readonly killers: readonly string[]
}

const nowhere = () => undefined

/**
 * Renders the environments, the last of the promotion first: a fault that is possible at the same place of several environments is seeded there only.
 * @throws UsageError when one does not render or has findings, since the results of its mutants would mean nothing
 */
export async function cleanEnvironments(): Promise<Environment[]> {
  const checker = await openChecker(root)
  const targets = [...lastFirst(environments(root)), ...checker.delivery]
  const clean = await Promise.all(
    eachParallel(targets, async (target) => {
      const outcome = await render(target, root)
      if ('finding' in outcome) throw new UsageError(`${target.name} does not render: ${outcome.finding.message}`)
      const { objects, findings } = readDocuments(outcome.manifests, target.name)
      const folder = relative(root, target.folder)
      return { environment: checker.environment({ name: target.name, folder, objects }), findings }
    }),
  )
  const located = clean.map(({ environment }) => ({ environment, locate: nowhere }))
  const [first] = [...clean.flatMap(({ findings }) => findings), ...checker.evaluate(located)]
  if (first !== undefined)
    throw new UsageError(`${first.target} has findings (${first.rule}): run \`npm run check\` and fix them first`)
  return clean.map(({ environment }) => environment)
}

function lastFirst(targets: readonly Target[]): Target[] {
  const order = promotionOrder(root)
  return targets.toSorted((one, other) => order.indexOf(other.name) - order.indexOf(one.name))
}

/** Every mutant of the classes, each fault once per place. */
export function seedMutants(clean: readonly Environment[], classes: readonly MutationClass[]): Mutant[] {
  const namespaces = environments(root).map(({ name }) => `inference-${name}`)
  const mutants: Mutant[] = []
  for (const mutationClass of classes) {
    const sites = new Set<string>()
    for (const environment of clean)
      for (const seeded of mutationClass.seed(environment, clean)) {
        const mutant = { class: mutationClass, environment, edits: 'object' in seeded ? [seeded] : seeded }
        const site = siteOf(mutant, namespaces)
        if (sites.has(site) || !changesAnything(mutant)) continue
        sites.add(site)
        mutants.push(mutant)
      }
  }
  return mutants
}

/**
 * Checks every mutant by documents, schemas (one process for all) and rules.
 * @param clean the environments that the mutants are of
 */
export async function checkMutants(mutants: readonly Mutant[], clean: readonly Environment[]): Promise<Verdict[]> {
  // What is in one environment alone is reported by `parity`, whether it breaks anything or not: `parity` would count every mutant as detected.
  const rulesOfMutants = rules.filter(({ id }) => id !== 'parity')
  const [config, platform] = await Promise.all([readConfig(root), readPlatform(root)])
  const checker = createChecker({ root, config, platform, rules: rulesOfMutants, schemas: join(root, 'schemas') })
  const killers = mutants.map(() => new Set<string>())
  const manifests: Manifests[] = []
  for (const [index, mutant] of mutants.entries()) {
    const objects = mutatedObjects(mutant)
    for (const rule of violatedRules(checker, mutant, objects, clean)) killers[index]?.add(rule)
    const documents = changedDocuments(mutant, objects)
    manifests.push({ target: mutant.environment.name, documents, locate: nowhere })
    const read = readDocuments(documentsOf(mutant, objects, documents), mutant.environment.name)
    for (const { rule } of read.findings) killers[index]?.add(rule)
  }
  for (const [index, findings] of (await checker.validate(manifests)).entries())
    for (const { rule } of findings) killers[index]?.add(rule)
  return mutants.map((mutant, index) => ({ mutant, killers: [...(killers[index] ?? [])] }))
}

function violatedRules(
  checker: Checker,
  { environment: original }: Mutant,
  objects: readonly KubeObject[],
  clean: readonly Environment[],
): Set<string> {
  const { name, folder } = original
  const mutated = { environment: checker.environment({ name, folder, objects }), locate: nowhere }
  const others = clean.filter((other) => other !== original).map((environment) => ({ environment, locate: nowhere }))
  const findings = checker.evaluate([mutated], others)
  // What Argo CD is given decides how all environments are delivered; a mutant of one environment has to be found in itself.
  const isDelivery = checker.config.delivery.folders.includes(name)
  return new Set(findings.filter(({ target }) => isDelivery || target === name).map(({ rule }) => rule))
}

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
