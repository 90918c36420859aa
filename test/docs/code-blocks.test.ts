import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { tool } from '#system/tools.ts'
import { inferenceRequestSchema, inferenceResponseSchema, queues } from '../../apps/common/src/messages.ts'
import { shellCommands } from '../support/shell.ts'
import { blockFaults, isShown } from './block-faults.ts'
import { commandFault, kubectl } from './command-faults.ts'
import { blocksOf, codeSpans, pagesWithBlocks } from './markdown.ts'
import { ScratchCopy } from './scratch-copy.ts'

// Every code block of README.md and docs/*.md is verified by its language: commands exist with their options, outputs are printed by the
// command above them, files are valid. Not here: docs/rules (generated), docs/runbooks (test/alerts/commands.test.ts), and what needs a
// cluster or minutes, whose output no page shows.

const copy = new ScratchCopy()
// Installed first, so that no output begins with the progress of it.
beforeAll(() => Promise.all([tool('kustomize'), tool('kubeconform')]))
afterAll(() => copy[Symbol.dispose]())

if (kubectl === undefined) {
  const missing = 'kubectl of the pinned version is not installed. Get it with: npm run tools -- kubectl'
  process.stderr.write(`\ntest/docs/code-blocks.test.ts DOES NOT READ kubectl COMMANDS. ${missing}\n\n`)
  if (process.env.GITHUB_ACTIONS) throw new Error(missing)
}

describe.each(pagesWithBlocks())('%s', (page) => {
  it('has only code blocks that are true', { timeout: 120_000 }, async () => {
    const faults: string[] = []
    // One after another: a console block may change the copy for its command.
    for (const block of blocksOf(page)) faults.push(...(await blockFaults(block, copy)))
    expect(faults).toEqual([])
  })

  // The changelog also names commands of earlier versions.
  if (page === 'CHANGELOG.md') return
  it('names only commands that exist', { timeout: 60_000 }, async () => {
    const spans = codeSpans(page).filter((span) => /^([A-Z_]+=\S+ )*(npm|npx|node|kubectl) /.test(span))
    const faults = spans.flatMap((span) => shellCommands(span).map((command) => commandFault(command, 'within a text')))
    expect((await Promise.all(faults)).filter((fault) => fault !== undefined)).toEqual([])
  })
})

describe('docs/architecture.md', () => {
  const schemas = { [queues.requests]: inferenceRequestSchema, [queues.responses]: inferenceResponseSchema }
  const table = blocksOf('docs/architecture.md').find(({ text }) => text.startsWith(`${queues.requests} `))?.text ?? ''

  it.each(Object.entries(schemas))('lists the fields of the messages in %s', (queue, schema) => {
    const [, row = ''] = new RegExp(`^${queue} (.*(?:\n .*)*)`, 'm').exec(table) ?? []
    const { names, values } = namesIn(schema)
    const words = new Set(row.match(/\w+/g))
    expect(names.filter((name) => !words.has(name))).toEqual([])
    expect([...words].filter((word) => !names.includes(word) && !values.includes(word))).toEqual([])
  })
})

/** The names of the fields of a JSON schema and of those within them, and the values of its enumerations. */
function namesIn(schema: object): { names: string[]; values: string[] } {
  const { properties = {}, items, enum: values = [] } = schema as JsonSchema
  const inner = [...Object.values(properties), ...(items === undefined ? [] : [items])].map(namesIn)
  return {
    names: [...Object.keys(properties), ...inner.flatMap(({ names }) => names)],
    values: [...values, ...inner.flatMap((part) => part.values)],
  }
}

interface JsonSchema {
  readonly properties?: Readonly<Record<string, object>>
  readonly items?: object
  readonly enum?: readonly string[]
}

describe('a block that is not true', () => {
  const faults = async (markdown: string) => {
    const found = await Promise.all(blocksOf('a.md', markdown).map((block) => blockFaults(block, copy)))
    return found.flat()
  }
  const fence = (language: string, text: string) => faults(`# A\n\n\`\`\`${language}\n${text}\n\`\`\`\n`)

  it('is found by its page and line, with what to do', async () => {
    expect(await faults('Run\n\n    npm test\n')).toEqual([
      'a.md:3: an indented code block; write a fence with a language, so that it can be verified',
    ])
    expect(await faults('1. Run\n\n   ```sh\n   npm test\n   ```\n\n   ```sh\n   npm rum check\n   ```\n')).toEqual([
      'a.md:7: unknown npm command rum',
    ])
  })

  it.each([
    ['', 'npm test', /a fence with no language; write one of sh, console, yaml/],
    ['bash', 'npm test', /a fence with bash; write one of sh/],
    ['sh', 'npm run chekc', /there is no npm script chekc/],
    ['sh', 'npm ci && npm run check -- --formt json', /check has no option --formt/],
    ['sh', 'npm run check --no-cache', /npm keeps --no-cache for itself; put -- before it/],
    ['sh', 'npx inference-platform chekc dev', /there is no command chekc/],
    ['sh', 'node scripts/run.mjs check --formt=json', /check has no option --formt/],
    ['sh', 'docker build \\\n  --file=apps/nothing/Dockerfile .', /there is no apps\/nothing\/Dockerfile/],
    ['sh', 'npm run diff | les', /unknown program les/],
    ['console', 'npm run check', /a console block begins with "\$ "/],
    ['console', '$ cat .node-version\n1.2.3', /cat .node-version prints something else; write:\n\d/],
    ['text', '$ npm run check\nall good', /write a command with its output as console/],
    ['json', '{"a": }', /JSON/],
    ['ts', 'const = 1', /Expected/],
    ['sql', 'create table a ()', /begin the block with the comment <!-- from: FILE -->/],
    ['diff', '- a', /only docs\/mutation.md has diffs/],
    ['yaml', 'a: [', /Flow sequence/],
    ['yaml', 'exemptions: []', /begin the block with the file that it belongs to/],
    ['yaml', '# check.yaml\nexemptions:\n  - {rule: parity, objekt: Pod a}', /must NOT have additional properties/],
    ['yaml', '# check.yaml\nexemptions:\n  - {rule: paritty, object: Pod a}', /there is no rule paritty/],
    ['yaml', '# overlays/prod/versions.yaml\nspec: {images: {gateway: web}}', /\/spec\/images\/gateway must match/],
    ['yaml', '# overlays/prod/kustomization.yaml\ncomponents: [../../components/none]', /there is no components\/none/],
    ['yaml', '# overlays/nowhere/kustomization.yaml\ncomponents: []', /there is no overlays\/nowhere/],
    ['yaml', '# expect Pod a spec\nkind: Pod', /the fixture has no "# fix" for Pod a spec/],
    ['yaml', 'metadata:\n  annotations: {example.com/exempt.no-rule: a}', /there is no rule no-rule/],
  ])('%s: %s', async (language, text, expected) => {
    expect((await fence(language, text)).join('\n')).toMatch(expected)
  })

  it('is an excerpt that its file does not have', async () => {
    const excerpt = (text: string) => faults(`<!-- from: promotion.yaml -->\n\`\`\`yaml\n${text}\n\`\`\`\n`)
    expect(await excerpt('order: [staging]')).toEqual(['a.md:2: promotion.yaml does not contain this excerpt'])
  })

  it('is a change that its file does not allow', async () => {
    const block = '<!-- after: promotion.yaml: nothing of it → else -->\n```console\n$ cat promotion.yaml\n```\n'
    await expect(faults(block)).rejects.toThrow('promotion.yaml does not have "nothing of it"')
  })

  it.skipIf(kubectl === undefined).each([
    ['kubectl gett pods', /unknown command "gett"/],
    ['kubectl get pods --sortby=.x | cat', /unknown flag: --sortby/],
  ])('%s', async (command, expected) => {
    expect((await fence('sh', command)).join('\n')).toMatch(expected)
  })
})

it('a line … stands for any lines, and every other line counts', () => {
  expect(isShown('a\n…\nd', 'a\nb\nc\nd\n')).toBe(true)
  expect(isShown('…\na  ', 'a\n')).toBe(true)
  expect(isShown('a\n…\nc', 'a\nb\nc\nd\n')).toBe(false)
  expect(isShown('a', 'a.\n')).toBe(false)
})
