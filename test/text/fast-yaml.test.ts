import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { root } from '#cli/paths.ts'
import { run } from '#system/process.ts'
import { tool } from '#system/tools.ts'
import { readRendered, readSimple } from '#text/fast-yaml.ts'

/** Lets the real kustomize write objects, each as a document of its own. */
async function throughKustomize(specs: readonly unknown[]): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'rendered-'))
  try {
    const objects = specs.map((spec, index) => ({
      apiVersion: 'example.com/v1',
      kind: 'Thing',
      metadata: { name: `thing-${index}` },
      spec,
    }))
    writeFileSync(join(folder, 'all.json'), objects.map((object) => JSON.stringify(object)).join('\n---\n'))
    writeFileSync(join(folder, 'kustomization.yaml'), 'resources: [all.json]\n')
    const { code, stdout, stderr } = await run(await tool('kustomize'), ['build', folder])
    if (code !== 0) throw new Error(stderr)
    return stdout.split(/^---\n/m)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const words = [
  'yes',
  'on',
  'null',
  '~',
  'true',
  '1',
  '0x1f',
  '0o7',
  '007',
  '1e3',
  '1.5',
  '-1',
  '+1',
  '.5',
  '1_000',
  '12:30:45',
  '2026-11-21',
  '1.2.3',
  '10.0.0.0/8',
  '- a',
  '-',
  '--- ',
  'a: b',
  'a:',
  ':a',
  'a #b',
  '#b',
  '{}',
  '[]',
  '{a',
  '*x',
  '&x',
  '!x',
  '%x',
  '@x',
  '`x',
  '|',
  '>',
  '?',
  '? a',
  ', a',
  "it's",
  '"quoted"',
  ' lead',
  'trail ',
  'tab\tin',
  'two\nlines',
  'two\nlines\n',
  '\nlead',
  'gap\n\nin',
  'ends\n\n',
  '  indented\nblock',
  'back\\slash',
  'é ünï',
  '🎉',
  '\u0001',
  '',
  'a long sentence that goes on well past the eighty columns at which some writers of YAML fold a plain scalar into two lines',
  "a long 'quoted' sentence: that goes on well past the eighty columns at which some writers of YAML fold a scalar into two lines",
  'sum by (queue) (rate(rabbitmq_detailed_queue_messages_ready{queue=~"ai-.*"}[5m])) > 0 and on() vector(1)  # twice  spaced',
]
const key = fc.oneof(
  fc.stringMatching(/^[a-zA-Z0-9._/-]{1,12}$/),
  fc.constantFrom('app:web', 'a b', 'yes', '1', 'null', 'x:', '"', "'"),
)
const leaf = fc.oneof(
  fc.constantFrom(...words),
  fc.string({ maxLength: 12 }),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
)
const { tree } = fc.letrec((tie) => ({
  tree: fc.oneof(
    { maxDepth: 5 },
    leaf,
    fc.array(tie('tree'), { maxLength: 4 }),
    fc.dictionary(key, tie('tree'), { maxKeys: 4 }),
  ),
}))

describe('readRendered', () => {
  it('reads what kustomize writes as the YAML library does, or leaves it to the library', async () => {
    const specs = [...words, ...fc.sample(tree, { numRuns: 600 })]
    const documents = await throughKustomize(specs)
    expect(documents.length).toBe(specs.length)
    for (const document of documents) {
      const read = readRendered(document)
      if (read !== undefined) expect(read, document).toEqual(parse(document))
    }
  })

  it('reads ordinary manifests itself, block scalars and folded lines too', async () => {
    const ordinary = {
      replicas: 3,
      enabled: true,
      args: ['--a', '-b=c'],
      image: 'x:1',
      text: 'one\n  two\n',
      long: words.at(-3),
      nested: [{ a: [{ b: 'c' }], d: {} }],
      hosts: [['a', 'b'], []],
      port: '8080',
    }
    const [document = ''] = await throughKustomize([ordinary])
    expect(readRendered(document)).toEqual(parse(document))
    expect(readRendered(document)).toBeDefined()
  })

  it.each([
    '',
    'a',
    '- a',
    'a: &x 1\nb: *x',
    'a: {b: c}',
    'a: 1\na: 2',
    'a:\n    b: 1\n  c: 2',
    '? a\n: b',
    'a: 1 # c',
  ])('leaves %j to the library', (content) => {
    expect(readRendered(content)).toBeUndefined()
  })
})

describe('readSimple', () => {
  it.each(['check.yaml', 'overlays/dev/versions.yaml'])('reads %s as the YAML library does', (file) => {
    const content = readFileSync(join(root, file), 'utf8')
    expect(readSimple(content)).toEqual(parse(content))
    expect(readSimple(content)).toBeDefined()
  })

  it.each(['a: |\n  # text\n', 'a: b # comment\n', 'a: [b, "c"]\n', 'a:\n  - x\n # odd\n  - y: |\n     z\n'])(
    'leaves %j to the library',
    (content) => {
      expect(readSimple(content)).toBeUndefined()
    },
  )
})
