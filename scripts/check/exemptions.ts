import type { Environment } from '#kubernetes/model/environment.ts'
import type { Finding, Path } from '#kubernetes/model/finding.ts'
import { nameBeforeHash } from '#kubernetes/model/generated-names.ts'
import { type KubeObject, nameOf } from '#kubernetes/model/objects.ts'
import type { Locate } from '#manifests/source-locations/index.ts'
import { today } from '#system/today.ts'

/** The annotation that exempts an object from a rule: this, then the rule's name; its value is the reason. */
export const exemptionPrefix = 'inference.example.com/exempt.'

/** Somebody's word that one object may break one rule. */
export interface Exemption {
  readonly rule: string
  /** `Kind namespace/name`, or `Kind name` for the object of that name in any namespace. */
  readonly object: string
  readonly reason: string
  /** The last day on which it holds, as `2027-03-31` in UTC; undefined when it never ends. */
  readonly until: string | undefined
  /** The environments it is for; undefined means all. Those on objects are for their own object alone. */
  readonly environments: readonly string[] | undefined
  readonly isAnnotation: boolean
  /** Where it is written. */
  place(): Pick<Finding, 'object' | 'path' | 'source'>
}

/** A finding that an exemption covers. */
export interface Exempted {
  readonly finding: Finding
  readonly reason: string
  readonly until?: string
}

/** What is left of a target's findings, and what was taken away by which exemptions. */
export interface Judged {
  readonly findings: readonly Finding[]
  readonly exempted: readonly Exempted[]
  readonly used: ReadonlySet<Exemption>
}

/** The exemptions that the annotations of an environment's objects state: `<reason>` or `until <date>: <reason>`. */
export function annotatedExemptions({ objects, name }: Environment, locate: Locate): Exemption[] {
  return objects.flatMap((object) =>
    Object.entries(object.annotations).flatMap(([key, value]): Exemption[] => {
      if (!key.startsWith(exemptionPrefix)) return []
      const [, until, rest = ''] = /^until (\S+?)(?::(.*))?$/s.exec(value) ?? []
      return [
        {
          rule: key.slice(exemptionPrefix.length),
          object: nameOf(object),
          reason: (until === undefined ? value : rest).trim(),
          until,
          environments: [name],
          isAnnotation: true,
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
 * Takes away the findings that an exemption covers. An exemption that does not hold covers nothing and is a finding itself.
 * @param rules the names of all rules that exist
 * @param day by which they end, as `2026-11-21`
 */
export function applyExemptions(
  target: string,
  findings: readonly Finding[],
  exemptions: readonly Exemption[],
  rules: ReadonlySet<string>,
  day = today(),
): Judged {
  if (exemptions.length === 0) return { findings, exempted: [], used: new Set() }
  const faults: Finding[] = []
  const holding: Exemption[] = []
  for (const exemption of exemptions) {
    const fault = faultOf(exemption, rules, day)
    if (fault === undefined) holding.push(exemption)
    else faults.push(findingAbout(exemption, target, ...fault))
  }
  const left: Finding[] = []
  const exempted: Exempted[] = []
  const used = new Set<Exemption>()
  for (const finding of findings) {
    const exemption = holding.find((candidate) => covers(candidate, finding))
    if (exemption === undefined) {
      left.push(finding)
      continue
    }
    used.add(exemption)
    const { reason, until } = exemption
    exempted.push({ finding, reason, ...(until !== undefined && { until }) })
  }
  // One that does not hold is already a finding; its fault comes first, its being unused is no news.
  for (const exemption of exemptions) if (!holding.includes(exemption)) used.add(exemption)
  return { findings: [...left, ...faults], exempted, used }
}

function covers({ rule, object }: Exemption, finding: Finding): boolean {
  if (rule !== finding.rule || finding.object === undefined) return false
  const anywhere = finding.object.replace(/ [^/ ]*\//, ' ')
  const names = [finding.object, anywhere]
  return names.includes(object) || names.some((name) => nameBeforeHash(name) === object)
}

/** Why an exemption does not hold, and what to do. */
function faultOf(exemption: Exemption, rules: ReadonlySet<string>, day: string): [string, string] | undefined {
  const { rule, object, reason, until } = exemption
  if (!rules.has(rule)) {
    const fix = 'Write the name of a rule, as it stands in brackets behind a finding, or remove the exemption.'
    return [`this exempts ${object} from "${rule}", but there is no such rule`, fix]
  }
  if (reason === '') {
    const fix = 'Write why the object may break the rule, so that the next reader can judge whether that still holds.'
    return [`this exempts ${object} from ${rule} without a reason`, fix]
  }
  if (until === undefined) return undefined
  if (!isDate(until)) return [`"${until}" is no date`, 'Write the last day it holds as year-month-day: 2027-03-31.']
  if (until < day) {
    const fix = 'Mend what it exempts, or judge it anew and write a later date.'
    return [`the exemption of ${object} from ${rule} ended on ${until}`, fix]
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
  const message = `this exempts ${exemption.object} from ${exemption.rule}, but no finding needs it`
  return findingAbout(exemption, target, message, 'Remove it, or mend the name of the object if another was meant.')
}

function findingAbout(exemption: Exemption, target: string, message: string, fix: string): Finding {
  return { rule: 'exemption', severity: 'error', target, ...exemption.place(), message, fix }
}
