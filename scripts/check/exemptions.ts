import type { Environment } from '#kubernetes/model/environment.ts'
import type { Finding, Path } from '#kubernetes/model/finding.ts'
import { nameBeforeHash } from '#kubernetes/model/generated-names.ts'
import { type KubeObject, nameOf } from '#kubernetes/model/objects.ts'
import type { Locate } from '#manifests/source-locations/index.ts'
import { today } from '#system/today.ts'

/**
 * The annotation that exempts an object from a rule: this prefix, then the rule's id; its value is the reason.
 */
const exemptionPrefix = 'inference-platform/exempt.'
/** The prefix is accepted with a note for one more version: it named a host. */
const formerPrefix = 'inference.example.com/exempt.'

/** Allows one object to violate one rule, for a stated reason. */
export interface Exemption {
  readonly rule: string
  /** `Kind namespace/name`, or `Kind name` for the object of that name in any namespace. */
  readonly object: string
  readonly reason: string
  /** The last day on which it is valid, as `2027-03-31` in UTC; undefined when it never expires. */
  readonly until: string | undefined
  /** The environments in which it is valid; undefined means all. An annotation is valid for its own object only. */
  readonly environments: readonly string[] | undefined
  readonly isAnnotation: boolean
  /** The current name of its annotation, where it is written with the former prefix. */
  readonly renamedTo?: string
  /** Where it is written. */
  place(): Pick<Finding, 'object' | 'path' | 'source'>
}

/** A finding that an exemption covers. */
export interface Exempted {
  readonly finding: Finding
  readonly reason: string
  readonly until?: string
}

/** The remaining findings of a target, and the ones that exemptions removed. */
interface ExemptedFindings {
  readonly findings: readonly Finding[]
  readonly exempted: readonly Exempted[]
  readonly used: ReadonlySet<Exemption>
  /** Exemptions that name their rule by a former id. */
  readonly renamed: readonly Exemption[]
}

/** The exemptions in the annotations of an environment's objects: `<reason>` or `until <date>: <reason>`. */
export function annotatedExemptions({ objects, name }: Environment, locate: Locate): Exemption[] {
  return objects.flatMap((object) =>
    Object.entries(object.annotations).flatMap(([key, value]): Exemption[] => {
      const prefix = [exemptionPrefix, formerPrefix].find((one) => key.startsWith(one))
      if (prefix === undefined) return []
      const rule = key.slice(prefix.length)
      const [, until, rest = ''] = /^until (\S+?)(?::(.*))?$/s.exec(value) ?? []
      return [
        {
          rule,
          object: nameOf(object),
          reason: (until === undefined ? value : rest).trim(),
          until,
          environments: [name],
          isAnnotation: true,
          ...(prefix === formerPrefix && { renamedTo: `${exemptionPrefix}${rule}` }),
          place: () => placeOf(object, ['metadata', 'annotations', key], locate),
        },
      ]
    }),
  )
}

function placeOf(object: KubeObject, path: Path, locate: Locate): Pick<Finding, 'object' | 'path' | 'source'> {
  const source = locate(object, path)
  return { object: nameOf(object), path, ...(source && { source }) }
}

/**
 * Removes the findings that an exemption covers. An invalid exemption covers nothing and is a finding itself.
 * @param rules the current id of each rule by every id that names it, the former ones too
 * @param day today, as `2026-11-21`: exemptions that end before it have expired
 */
export function applyExemptions(
  target: string,
  findings: readonly Finding[],
  exemptions: readonly Exemption[],
  rules: ReadonlyMap<string, string>,
  day = today(),
): ExemptedFindings {
  if (exemptions.length === 0) return { findings, exempted: [], used: new Set(), renamed: [] }
  const invalid: Finding[] = []
  const valid: Exemption[] = []
  for (const exemption of exemptions) {
    const problem = problemOf(exemption, rules, day)
    if (problem === undefined) valid.push(exemption)
    else invalid.push(findingAbout(exemption, target, ...problem))
  }
  const left: Finding[] = []
  const exempted: Exempted[] = []
  const used = new Set<Exemption>()
  for (const finding of findings) {
    const exemption = valid.find((candidate) => covers(candidate, rules, finding))
    if (exemption === undefined) {
      left.push(finding)
      continue
    }
    used.add(exemption)
    const { reason, until } = exemption
    exempted.push({ finding, reason, ...(until !== undefined && { until }) })
  }
  // An invalid one is already a finding; that it covers nothing needs no second one.
  for (const exemption of exemptions) if (!valid.includes(exemption)) used.add(exemption)
  const renamed = valid.filter(({ rule }) => rules.get(rule) !== rule)
  return { findings: [...left, ...invalid], exempted, used, renamed }
}

function covers({ rule, object }: Exemption, rules: ReadonlyMap<string, string>, finding: Finding): boolean {
  if (rules.get(rule) !== finding.rule || finding.object === undefined) return false
  const anywhere = finding.object.replace(/ [^/ ]*\//, ' ')
  const names = [finding.object, anywhere]
  return names.includes(object) || names.some((name) => nameBeforeHash(name) === object)
}

/** Why an exemption is invalid, and what to do. */
function problemOf(
  exemption: Exemption,
  rules: ReadonlyMap<string, string>,
  day: string,
): [string, string] | undefined {
  const { rule, object, reason, until } = exemption
  if (!rules.has(rule)) {
    const fix = 'Write the name of a rule, as printed in brackets after a finding, or remove the exemption.'
    return [`this exempts ${object} from "${rule}", but there is no such rule`, fix]
  }
  if (reason === '') {
    const fix =
      'Write why the object may violate the rule, so that the next reader can decide whether that is still true.'
    return [`this exempts ${object} from ${rule} without a reason`, fix]
  }
  if (until === undefined) return undefined
  if (!isDate(until))
    return [`"${until}" is not a valid date`, 'Write the last day on which it is valid as year-month-day: 2027-03-31.']
  if (until < day) {
    const fix = 'Fix the finding, or re-evaluate the exemption and set a later date.'
    return [`the exemption of ${object} from ${rule} expired on ${until}`, fix]
  }
  return undefined
}

/** Whether a text is a day that exists, as `2027-03-31`. */
function isDate(text: string): boolean {
  const date = /^\d{4}-\d{2}-\d{2}$/.test(text) ? new Date(`${text}T00:00:00Z`) : undefined
  return date !== undefined && !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text)
}

/** Whether it is known that an exemption covers nothing: refusals of the API server are found only where it was asked. */
export function isDecidable({ rule }: Exemption, admit: boolean): boolean {
  return rule !== 'admission' || admit
}

/** The finding that an exemption covers nothing. */
export function unusedExemption(exemption: Exemption, target: string): Finding {
  const message = `this exempts ${exemption.object} from ${exemption.rule}, but it covers no finding`
  return findingAbout(exemption, target, message, 'Remove it, or correct the name of the object.')
}

function findingAbout(exemption: Exemption, target: string, message: string, fix: string): Finding {
  return { rule: 'exemption', severity: 'error', target, ...exemption.place(), message, fix }
}
