import { UsageError } from '#cli/errors.ts'

/** A value of `platform.yaml` that becomes another one. */
export interface ValueChange {
  /** `hosts.prod`. */
  readonly key: string
  readonly old: string
  readonly now: string
}

/** Where the values of a part of `platform.yaml` are, and what is around them there. */
interface Place {
  readonly keys: RegExp
  readonly files: RegExp
  /** Expressions that match what precedes and what follows the value. */
  readonly around: readonly (readonly [before: string, after: string])[]
}

/** Not in the middle of a longer name: neither `my.inference.acme.net` nor `acme.net.internal` is `acme.net`. */
const wholeAddress = ['(?<![\\w.@-])', '(?![\\w-]|\\.\\w)'] as const

/**
 * Addresses are recognised wherever they are written. Names of groups and storage classes are ordinary words, so these are recognised only in the
 * fields that hold them, and in Markdown as `code` (the first column of a table names a component, such as `ssd`).
 */
const places: readonly Place[] = [
  { keys: /^(?:git|web|registry|vault|grafana|hosts\..+)$/, files: /./, around: [wholeAddress] },
  { keys: /^owners\./, files: /^(?:\.github\/)?CODEOWNERS$/, around: [['(?<=\\s)', '(?=\\s|$)']] },
  {
    keys: /^groups\./,
    files: /^argocd\/.+\.yaml$/,
    around: [
      ['(?<=^ *- )', '(?=\\s*$)'],
      ['(?<=^\\s*g, )', '(?=, role:)'],
      ['(?<=member of )', '(?=\\s)'],
    ],
  },
  // A cluster of kind has the storage class of its own provisioner.
  {
    keys: /^storageClasses\./,
    files: /^(?:base|components|overlays|argocd)\/(?!kind\/).+\.yaml$|^check\.yaml$/,
    around: [
      ['(?<=storageClassName:\\s+(?:value:\\s+)?)', '(?=\\s*$)'],
      ['(?<=storageClassName\\n\\s*value: )', '(?=\\s*$)'],
      ['(?<=kind: StorageClass\\n\\s*name: )', '(?=\\s*$)(?!\\n\\s*environments: \\[kind\\])'],
    ],
  },
  {
    keys: /^(?:storageClasses|groups)\./,
    files: /^(?:docs\/.+|README|components\/README)\.md$/,
    around: [['(?<=`)(?<!^\\| \\[?`)', '(?=`)']],
  },
]

/**
 * Files that keep their `example`: programs, which read platform.yaml, fixtures and what is generated from them, recorded reports, the changelog, locks and licences.
 */
const untouched =
  /^(?:scripts|test|schemas|docs\/rules|docs\/evidence|docs\/images|bench\/results|node_modules)\/|^(?:CHANGELOG\.md|package-lock\.json|LICENSE|platform\.yaml)$|\.(?:png|jpe?g|gif|ico|woff2?|gz|zip)$/

/** Whether `npm run init` looks into a file, by its path from the root. */
export function isReplaceable(file: string): boolean {
  return !untouched.test(file)
}

/**
 * Replaces the values in the text of a file, all in one pass, so that two values may change places.
 * @returns the new text and how many places changed
 */
export function replaceValues(
  file: string,
  content: string,
  changes: readonly ValueChange[],
): { content: string; count: number } {
  const news = new Map<string, string>()
  const patterns: string[] = []
  // The longest first: `https://host/repository.git` before `https://host/repository`.
  for (const { key, old, now } of [...changes].sort((one, other) => other.old.length - one.old.length)) {
    const around = places
      .filter(({ keys, files }) => keys.test(key) && files.test(file))
      .flatMap((place) => place.around)
    for (const [before, after] of around) {
      news.set(old, now)
      patterns.push(`${before}${escapeRegExp(old)}${after}`)
    }
  }
  if (patterns.length === 0) return { content, count: 0 }
  let count = 0
  const replaced = content.replace(new RegExp(patterns.join('|'), 'gm'), (old) => {
    count += 1
    return news.get(old) ?? old
  })
  return { content: replaced, count }
}

function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}

/**
 * The values that differ.
 * @throws UsageError where two keys share their old value and would no longer, since their places look the same
 */
export function changesBetween(
  old: ReadonlyMap<string, string>,
  now: ReadonlyMap<string, string>,
): readonly ValueChange[] {
  const changes = [...old].map(([key, value]) => ({ key, old: value, now: now.get(key) ?? value }))
  for (const one of changes) {
    const other = changes.find((each) => areTogether(each, one) && each.old === one.old && each.now !== one.now)
    if (other !== undefined)
      throw new UsageError(
        `${one.key} and ${other.key} are both "${one.old}", so their places cannot be distinguished; give both the same new value, or change one of them by hand`,
      )
  }
  return changes.filter((change) => change.old !== change.now)
}

/** Whether two keys are looked for at the same places. */
function areTogether(one: ValueChange, other: ValueChange): boolean {
  return one.key !== other.key && places.some(({ keys }) => keys.test(one.key) && keys.test(other.key))
}
