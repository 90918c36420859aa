import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { runRules } from '#check/run-rules.ts'
import { createEnvironment } from '#kubernetes/model/environment.ts'
import type { Finding } from '#kubernetes/model/finding.ts'
import { toObject, type Value } from '#kubernetes/model/objects.ts'
import { readDocuments } from '#manifests/documents.ts'
import { locateInFile } from '#manifests/source-locations/index.ts'
import { rules } from '#rules/index.ts'

/** FUZZ_RUNS=10000 for a long run; the seed of a failure is printed by fast-check. */
const numRuns = Number(process.env.FUZZ_RUNS ?? 100)
/** The same inputs at every run of the tests, so that one commit is not blamed for what another did; a long run draws its own. */
const drawn = process.env.FUZZ_RUNS === undefined ? { numRuns, seed: 1 } : { numRuns }
const timeout = Math.max(60_000, numRuns * 60)

/** What the check does with a text, up to the line of every finding. Whatever the text is, this ends in findings and never throws. */
function checkText(content: string): Finding[] {
  const { objects, findings } = readDocuments(content, 'fuzz', 'fuzz.yaml')
  return [
    ...findings,
    ...runRules(rules, {
      environment: createEnvironment('fuzz', objects),
      locate: locateInFile('fuzz.yaml', content),
    }),
  ]
}

const folder = join(import.meta.dirname, '../rules')
/** The fixtures of all rules: between them they hold every field that a rule reads. */
const fixtures = readdirSync(folder).flatMap(fixturesOf)

/** The objects of each fixture of a rule. */
function fixturesOf(rule: string): Value[][] {
  return readdirSync(join(folder, rule)).map((name) => {
    const content = readFileSync(join(folder, rule, name), 'utf8')
    return readDocuments(content, name, name).objects.map(({ raw }) => raw as Value)
  })
}

type Place = readonly (string | number)[]

/** Every path in a value. */
function* places(value: Value, base: Place = []): Generator<Place> {
  yield base
  if (typeof value !== 'object' || value === null) return
  for (const [key, entry] of Object.entries(value))
    yield* places(entry, [...base, Array.isArray(value) ? Number(key) : key])
}

/** The value with another one at a path. */
function withValue(value: Value, path: Place, other: Value): Value {
  const [key, ...rest] = path
  if (key === undefined) return other
  if (Array.isArray(value)) return value.map((entry, index) => (index === key ? withValue(entry, rest, other) : entry))
  return { ...(value as object), [key]: withValue((value as Record<string, Value>)[key], rest, other) }
}

/** Values of every type, and strings that look like something: patterns, numbers, dates, paths, keys of a prototype. */
const wrong: fc.Arbitrary<Value> = fc.oneof(
  fc.constantFrom<Value>(
    null,
    true,
    -1,
    0,
    1e308,
    0.1,
    '',
    ' ',
    '%',
    '0',
    '-1',
    '9'.repeat(400),
    '__proto__',
    'constructor',
    '../..',
    '{{',
    '$(',
    '(((',
    '[a-',
    '\\',
    '🦊',
    [],
    {},
    [null],
    [[]],
    [{}],
    { '': '' },
  ),
  fc.constantFrom<Value>(
    { constructor: 1 },
    { matchLabels: [] },
    { matchExpressions: [{}] },
    { name: {} },
    [{ name: [] }],
    { toString: 'x' },
    '1e9Gi',
    '999999999999',
    '* * * * *',
    '0 0 31 2 *',
    'http://',
    '://:99999/',
    'a:b:c@d:e',
  ),
  fc.jsonValue({ maxDepth: 3 }),
)

const mutated = fc
  .record({
    fixture: fc.nat(fixtures.length - 1),
    count: fc.integer({ min: 1, max: 3 }),
    seeds: fc.array(fc.nat(), { minLength: 9, maxLength: 9 }),
    values: fc.array(wrong, { minLength: 3, maxLength: 3 }),
  })
  .map(({ fixture, count, seeds, values }) => {
    const objects = [...(fixtures[fixture] ?? [])]
    for (let turn = 0; turn < count; turn++) {
      const index = (seeds[turn] ?? 0) % Math.max(objects.length, 1)
      const paths = [...places(objects[index])]
      const path = paths[(seeds[turn + 3] ?? 0) % paths.length] ?? []
      objects[index] = withValue(objects[index], path, values[turn])
    }
    return objects
  })

describe('whatever is given', () => {
  it('wrong types in any field are findings or nothing, never a crash', { timeout }, () => {
    fc.assert(
      fc.property(mutated, (objects) => {
        checkText(objects.map((object) => JSON.stringify(object)).join('\n---\n'))
      }),
      drawn,
    )
  })

  it('a mapping that does not become a string, in any field, does not crash it', { timeout }, () => {
    const crashes: string[] = []
    for (const rule of rules) {
      for (const objects of fixturesOf(rule.id)) {
        for (const [index, object] of objects.entries()) {
          for (const place of places(object)) {
            const changed = objects.with(index, withValue(object, place, { toString: 'x' }))
            const known = changed.flatMap((raw) => toObject(raw) ?? [])
            try {
              runRules([rule], { environment: createEnvironment('fuzz', known), locate: () => undefined })
            } catch (error) {
              crashes.push(
                `${rule.id} ${place.join('.')}: ${(error as Error).stack?.split('\n').slice(1, 3).join(' ')}`,
              )
            }
          }
        }
      }
    }
    expect(crashes).toEqual([])
  })

  it('any text is read or refused', { timeout }, () => {
    const yamlish = fc.array(
      fc.constantFrom(
        'a',
        ': ',
        '\n',
        '- ',
        '  ',
        '&a ',
        '*a',
        '|',
        '>',
        '"',
        "'",
        '{',
        '}',
        '[',
        ']',
        '#',
        '---\n',
        '? ',
        '!!binary ',
        '<<: *a',
        '\t',
        'kind: Pod',
        '\u0000',
        '%YAML 1.1\n',
        '...\n',
      ),
      { maxLength: 60 },
    )
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ maxLength: 400 }),
          yamlish.map((parts) => parts.join('')),
        ),
        (content) => {
          checkText(content)
          // What kustomize prints is read by another reader first.
          readDocuments(content, 'fuzz')
        },
      ),
      drawn,
    )
  })
})

/** Texts that are made to cost more than they are. Each has to end in a finding soon; vitest's timeout is the limit. */
const hostile: Readonly<Record<string, string>> = {
  'a YAML bomb': `${['a', ...'bcdefghi']
    .map(
      (name, index, all) =>
        `${name}: &${name} [${
          index === 0
            ? 'lol'
            : Array(9)
                .fill(`*${all[index - 1]}`)
                .join(', ')
        }]`,
    )
    .join('\n')}\nkind: ConfigMap\napiVersion: v1\nmetadata: {name: *i}\n`,
  'an anchor that holds itself': 'apiVersion: v1\nkind: ConfigMap\nmetadata: &a {name: x, labels: *a}\n',
  'an alias of nothing': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: *nothing}\n',
  'ten thousand nested lists': `a: ${'['.repeat(10_000)}${']'.repeat(10_000)}\n`,
  'five hundred nested mappings': Array.from({ length: 500 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n'),
  'nested JSON': `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"},"data":${'{"a":'.repeat(2000)}1${'}'.repeat(2000)}}`,
  'a merge of itself': 'a: &a\n  <<: *a\nkind: Pod\n',
  'NUL bytes': 'kind: Pod\u0000\n',
}

const long = 5000
/** Large texts that are valid YAML: they have to be checked, in a time that grows with their size. */
const large: Readonly<Record<string, string>> = {
  'a list of many ports': JSON.stringify({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'a', namespace: 'b' },
    spec: { selector: { a: 'b' }, ports: Array.from({ length: long }, (_, port) => ({ name: `p${port}`, port })) },
  }),
  'many variables': JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'a', namespace: 'b' },
    spec: {
      containers: [
        {
          name: 'a',
          image: 'a:1',
          env: Array.from({ length: long }, (_, index) => ({ name: `A${index}`, value: `$(A${index - 1})` })),
        },
      ],
    },
  }),
  'one long string': JSON.stringify({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'a', namespace: 'b' },
    data: {
      'a.conf': 'a'.repeat(2_000_000),
      b: '(/'.repeat(200_000),
      c: 'http://a.'.repeat(50_000),
      d: '{{'.repeat(100_000),
    },
  }),
  'a long alert': JSON.stringify({
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PrometheusRule',
    metadata: { name: 'a', namespace: 'b' },
    spec: {
      groups: [
        {
          name: 'a',
          rules: [{ alert: 'A', expr: '('.repeat(100_000), annotations: { summary: '{{ $labels.'.repeat(20_000) } }],
        },
      ],
    },
  }),
  'a hostile path': JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'a', namespace: 'b' },
    spec: {
      containers: [
        {
          name: 'a',
          image: `${'a/'.repeat(100_000)}:1`,
          args: [`${'/a'.repeat(200_000)}!`, `--host=${'a.'.repeat(100_000)}`],
          env: [{ name: 'A_URL', value: `http://${'a-'.repeat(100_000)}` }],
        },
      ],
    },
  }),
}

describe('texts that are made to hurt', () => {
  it.each(Object.entries(hostile))('%s is refused', (_, content) => {
    expect(checkText(content).length).toBeGreaterThan(0)
  })

  it.each(Object.entries(large))('%s is checked', (_, content) => {
    expect(checkText(content)).toBeInstanceOf(Array)
  })

  it('two thousand objects are checked', { timeout: 60_000 }, () => {
    const pod = (index: number) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: `a${index}`, namespace: 'b', labels: { app: `${index % 100}` } },
      spec: { containers: [{ name: 'a', image: 'r.io/a:1' }] },
    })
    const objects = Array.from({ length: 2000 }, (_, index) => pod(index))
    const read = readDocuments(JSON.stringify({ kind: 'List', apiVersion: 'v1', items: objects }), 'fuzz', 'fuzz.yaml')
    expect(read.objects).toHaveLength(2000)
    expect(
      runRules(rules, { environment: createEnvironment('fuzz', read.objects), locate: () => undefined }).length,
    ).toBeGreaterThan(2000)
  })
})
