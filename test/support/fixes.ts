import { parse } from 'yaml'
import { createEnvironment, type Environment } from '#kubernetes/model/environment.ts'
import type { Path } from '#kubernetes/model/finding.ts'
import { at, fields, type KubeObject, nameOf, text, toObject, type Value } from '#kubernetes/model/objects.ts'
import { type Edit, mutatedObjects } from '#mutate/mutation.ts'
import type { Expectation } from '#ruleset/explain.ts'
import { declarations, factsIn } from './declarations.ts'

/** How to write a fix; printed when one is missing. */
export const howToWrite = `Below the "# expect" line, write what applying the printed fix changes, in one or more lines:
  # fix spec.replicas: 2                         sets a field of the object that the finding names
  # fix spec.replicas:                           removes it
  # fix data["a.conf"]: maxmemory 2 => maxmemory 1   changes a part of a text
  # fix Deployment shop/web spec.replicas: 2     changes another object
  # fix Deployment shop/web:                     removes an object
  # fix Namespace shop: {apiVersion: v1}         adds an object; its kind and name are before the colon
  # fix provided Secret web password             declares it in check.yaml
  # fix metrics requests_total                   adds it to the lists that check.yaml names
  # fix repositories https://git.test/shop.git     adds an address of the repository
Where other rules report something only after the fix, because the fixture violates them, too: "# reveals rule-id".`

/** The fixture's environments after the lines of a fix were applied. */
export function applyFix(
  { finding, fix }: Expectation,
  content: string,
  before: readonly Environment[],
): Environment[] {
  const objects = before.flatMap((environment) => environment.objects)
  const declared = fix.filter(isDeclaration)
  const edits = fix.filter((line) => !declared.includes(line)).map((line) => toEdit(line, finding, objects))
  const whole = [content, ...declared.map((line) => `# ${line}`)].join('\n')
  const context = { provided: declarations(whole), known: factsIn(whole) }
  const holds = (environment: Environment, object: KubeObject | undefined) =>
    object !== undefined && environment.objects.includes(object)
  // A new object is added to the environment of the finding.
  const named = objects.find((object) => finding.startsWith(`${nameOf(object)} `) || finding === nameOf(object))
  const home = before.find((environment) => holds(environment, named)) ?? before[0]
  return before.map((environment) => {
    const own = edits.filter(
      ({ object }) => holds(environment, object) || (environment === home && !objects.includes(object)),
    )
    const { name, folder, own: facts } = environment
    return createEnvironment(name, mutatedObjects({ environment, edits: own }), { ...context, folder, own: facts })
  })
}

/** Whether a line declares something in check.yaml: an object, or a metric. */
function isDeclaration(line: string): boolean {
  return /^(?:provided|metrics|repositories) /.test(line)
}

/** Whether the printed fix describes a line: it names the field that is changed, the kind that is added or removed, or the value. */
export function isNamed(line: string, printed: string): boolean {
  if (isDeclaration(line)) return printed.includes('check.yaml')
  const { kind = '', path, value } = parts(line)
  const [before = '', after] = value.split(' => ')
  const keys = toPath(path).filter((key) => typeof key === 'string')
  // `labels.tier` is also named by "labels", but fields that every object has identify nothing.
  const words = path === '' ? [kind] : keys.slice(-2).filter((key) => !['spec', 'metadata'].includes(key))
  if (after !== undefined) words.push(...after.split(/[\s"':=,]+/).filter((word) => !before.includes(word)))
  else words.push(...valueWords(parse(value)))
  return words.some((word) => printed.toLowerCase().includes(word.toLowerCase()))
}

/** The keys of a mapping, or of the first item of a list; a scalar itself. */
function valueWords(value: Value): string[] {
  if (Array.isArray(value)) return valueWords(value[0])
  return typeof value === 'object' ? Object.keys(fields(value)) : [String(value)]
}

/** A line of a fix: the object where it is not that of the finding, the path, and the value as written. */
interface Parts {
  readonly kind?: string
  readonly name?: string
  readonly path: string
  readonly value: string
}

const form =
  /^(?:(?<kind>[A-Z]\w*) (?<name>\S+?)(?= |:$|: ) ?)?(?<path>(?:[\w.-]|\[\d+\]|\["[^"]*"\])*):(?: (?<value>.*))?$/

function parts(line: string): Parts {
  const { kind, name, path = '', value = '' } = form.exec(line)?.groups ?? {}
  if (kind === undefined && path === '') throw new Error(`"# fix ${line}" cannot be parsed. ${howToWrite}`)
  return { ...(kind && { kind }), ...(name && { name }), path, value }
}

function toEdit(line: string, finding: string, objects: readonly KubeObject[]): Edit {
  const { kind, name = '', path, value } = parts(line)
  const wanted = kind === undefined ? finding.split(' ').slice(0, 2).join(' ') : `${kind} ${name}`
  const object = objects.find((each) => nameOf(each) === wanted)
  if (path === '' && value !== '') {
    const added = wholeObject(kind, name, parse(value))
    return { object: object ?? added, path: [], value: added.raw }
  }
  if (object === undefined) throw new Error(`"# fix ${line}": the fixture has no ${wanted}`)
  const keys = toPath(path)
  return { object, path: keys, value: toValue(value, at(object.raw, ...keys)) }
}

function toPath(path: string): Path {
  return [...path.matchAll(/\[(\d+)\]|\["([^"]*)"\]|[\w-]+/g)].map(([word, index, quoted]) =>
    index === undefined ? (quoted ?? word) : Number(index),
  )
}

/** The new value; undefined removes the field. */
function toValue(written: string, before: Value): Value {
  const [old = '', after] = written.split(' => ')
  if (after === undefined) return (parse(written) as Value) ?? undefined
  const [from, to] = [String(parse(old)), String(parse(after))]
  if (!text(before)?.includes(from)) throw new Error(`"# fix …: ${written}": "${from}" is not in the value`)
  return text(before)?.replaceAll(from, to)
}

/** A whole object from the kind and name before the colon and the fields after it. */
function wholeObject(kind: string | undefined, name: string, raw: Value): KubeObject {
  const [namespace, own] = name.includes('/') ? name.split('/') : [undefined, name]
  const metadata = { name: own, ...(namespace && { namespace }), ...fields(at(raw, 'metadata')) }
  const object = toObject({ ...fields(raw), kind, metadata })
  if (object === undefined) throw new Error(`# fix ${kind} ${name}: the object needs an apiVersion`)
  return object
}
