import { setImmediate } from 'node:timers/promises'
import { type Finding, formatSource } from '#kubernetes/model/finding.ts'
import type { Rule } from '#rule/define-rule.ts'
import { renamedNote, ruleIds } from '#ruleset/catalog.ts'
import { validateCelRules } from '#validation/cel.ts'
import { type Manifests, validateSchemas } from '#validation/kubeconform.ts'
import { exemptionsIn } from './config.ts'
import { addExcerpts } from './excerpts.ts'
import { annotatedExemptions, applyExemptions, type Exemption, isDecidable, unusedExemption } from './exemptions.ts'
import { withoutForeignKinds } from './foreign-kinds.ts'
import type { TargetResult } from './result.ts'
import { applicable, type Located, runRules, runRulesAcross } from './run-rules.ts'
import type { ReadTarget } from './targets.ts'

/** What a checker checks with. */
interface Checks {
  readonly rules: readonly Rule[]
  /** The folder that `npm run generate:schemas` wrote. */
  readonly schemas: string
  /** Whether to ask a real API server, too. */
  readonly admit: boolean
}

/** A target that was checked. */
export interface CheckedTarget {
  readonly target: ReadTarget
  readonly result: TargetResult
  /** The exemptions that covered a finding, or are invalid, which is a finding of its own. */
  readonly used: ReadonlySet<Exemption>
  /** Lines for the terminal: exemptions that name a rule by a former id. */
  readonly notes: readonly string[]
}

/** Targets that are being read; undefined for one that does not exist. */
export type Group = readonly Promise<ReadTarget | undefined>[]

/**
 * Checks groups of targets by schemas, rules and, where asked for, admission. Rules that compare environments see one group at a time; the external
 * programs check all groups in one run. Each target is checked as soon as it is read.
 * @returns what was checked of each group, without what is only its context
 */
export async function checkGroups(groups: readonly Group[], checks: Checks): Promise<CheckedTarget[][]> {
  const reading = Promise.all(groups.map((group) => Promise.all(group)))
  const [read, external, byRule] = await Promise.all([
    reading,
    reading.then((all) => runExternalValidators(checkedOf(all.flat()), checks)),
    Promise.all(groups.map((group) => runGroup(group, checks.rules))),
  ])
  return read.map((group, index) =>
    checkedOf(group).map((target) => {
      const found = [...target.readFindings, ...(external.get(target) ?? []), ...(byRule[index]?.get(target) ?? [])]
      return summarize(target, found, checks)
    }),
  )
}

function checkedOf(targets: readonly (ReadTarget | undefined)[]): ReadTarget[] {
  return targets.filter((target) => target !== undefined && target.isContext === undefined) as ReadTarget[]
}

/** The findings of the rules in each target of a group: those about single environments as soon as it is read, the others once all are. */
async function runGroup(group: Group, rules: readonly Rule[]): Promise<Map<ReadTarget, Finding[]>> {
  const found = new Map<ReadTarget, Finding[]>()
  await Promise.all(
    group.map(async (reading) => {
      const target = await reading
      if (target === undefined || target.isContext) return
      const own = target.kind === 'environment' ? rules : applicable(rules, target.environment).on
      // When the last target is read, the external programs are started first.
      await setImmediate()
      found.set(target, runRules(own, target))
    }),
  )
  const targets = (await Promise.all(group)).filter((target) => target !== undefined)
  for (const [index, findings] of runRulesAcross(rules, targets).entries()) {
    const own = found.get(targets[index] as ReadTarget)
    own?.push(...findings)
  }
  return found
}

/** What kubeconform, the CEL rules of custom resources and the API server find in each target; each program is started once for all of them. */
async function runExternalValidators(
  targets: readonly ReadTarget[],
  { schemas, admit }: Checks,
): Promise<Map<ReadTarget, Finding[]>> {
  const [validated, admitted] = await Promise.all([
    validate(targets, schemas),
    admit ? import('#validation/admission.ts').then((admission) => admission.admit(targets)) : [],
  ])
  return new Map(
    targets.map((target, index) => {
      const refused = admitted.filter((finding) => finding.target === target.target)
      return [target, [...(validated[index] ?? []), ...refused]]
    }),
  )
}

/** What the schemas and the CEL rules of custom resources find; the findings of each are at its index. */
export async function validate(all: readonly Manifests[], schemas: string): Promise<Finding[][]> {
  const [bySchema, byCel] = await Promise.all([validateSchemas(all, schemas), validateCelRules(all, schemas)])
  return all.map((_, index) => {
    const own = bySchema[index] ?? []
    // As in the API server, which evaluates the rules of a definition only for an object that is valid by its schema.
    const invalid = new Set(own.map(({ object }) => object))
    return [...own, ...(byCel[index] ?? []).filter(({ object }) => !invalid.has(object))]
  })
}

/** One target's result: its findings with their lines, without what is exempted. */
function summarize(target: ReadTarget, all: readonly Finding[], { rules, admit }: Checks): CheckedTarget {
  const { objects, environment, kind, config, locate, contentOf } = target
  const { findings, skipped } =
    kind === 'environment' ? { findings: all, skipped: [] } : withoutForeignKinds(all, objects)
  const exemptions = [...annotatedExemptions(environment, locate), ...exemptionsIn(config, target.target)]
  const outcome = applyExemptions(target.target, findings, exemptions, ruleIds)
  // An exemption that names its environments must be needed in each of them.
  const unused = exemptions.filter(
    (exemption) =>
      exemption.environments !== undefined && !outcome.used.has(exemption) && isDecidable(exemption, admit),
  )
  const left = [...outcome.findings, ...unused.map((exemption) => unusedExemption(exemption, target.target))]
  const result: TargetResult = {
    target: target.target,
    objects: objects.length,
    findings: addExcerpts(left, contentOf, findings),
    exempted: outcome.exempted,
    skippedRules:
      kind === 'delivery' || objects.length === 0
        ? []
        : [...applicable(rules, environment, kind === 'environment').off, ...skipped],
  }
  const notes = [...exemptions.flatMap(formerPrefixNotes), ...outcome.renamed.map(renamedNoteOf)]
  return { target, result, used: outcome.used, notes }
}

function renamedNoteOf({ rule, place }: Exemption): string {
  return `${startOf(place())}${renamedNote(rule, ruleIds.get(rule) ?? rule)}`
}

function formerPrefixNotes({ renamedTo, place }: Exemption): string[] {
  if (renamedTo === undefined) return []
  const { path, ...where } = place()
  return [
    `${startOf(where)}annotation "${path?.at(-1)}" is now named "${renamedTo}"; the old name is deprecated and will be removed in the next version`,
  ]
}

function startOf({ source }: Pick<Finding, 'source'>): string {
  return source ? `${formatSource(source)}: ` : ''
}

/** What is left of an environment's findings when those that an annotation of their object exempts are removed. */
export function withoutAnnotated(findings: readonly Finding[], { environment, locate }: Located): readonly Finding[] {
  return applyExemptions(environment.name, findings, annotatedExemptions(environment, locate), ruleIds).findings
}
