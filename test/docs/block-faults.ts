import { existsSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { transform } from 'esbuild'
import { parse, parseAllDocuments } from 'yaml'
import { root } from '#cli/paths.ts'
import { at, fields, items, type Value } from '#kubernetes/model/objects.ts'
import { ruleIds } from '#ruleset/catalog.ts'
import { expectations } from '#ruleset/explain.ts'
import { validator } from '#system/json-schema.ts'
import { shellCommands } from '../support/shell.ts'
import { commandFault } from './command-faults.ts'
import type { Block } from './markdown.ts'
import type { ScratchCopy } from './scratch-copy.ts'

/** What a block of each language has to be; each function returns what is wrong with it. */
const languages: Readonly<Record<string, (block: Block, copy: ScratchCopy) => Promise<string[]> | string[]>> = {
  sh: scriptFaults,
  console: sessionFaults,
  yaml: yamlFaults,
  json: ({ text }) => faultIn(() => JSON.parse(text)),
  ts: async ({ text }) => {
    const failure = await transform(text, { loader: 'ts', logLevel: 'silent' }).catch((error: Error) => error.message)
    return typeof failure === 'string' ? [failure] : []
  },
  sql: () => ['begin the block with the comment <!-- from: FILE -->, since nothing else verifies SQL'],
  // `npm run mutate` writes the mutants that survive as diffs.
  diff: ({ page }) => (page === 'docs/mutation.md' ? [] : ['only docs/mutation.md has diffs; write text']),
  text: ({ text }) =>
    /^\$ /m.test(text) ? ['text is for diagrams and tables; write a command with its output as console'] : [],
}

/** What is wrong with a code block, each as `page:line: what; what to do`. */
export async function blockFaults(block: Block, copy: ScratchCopy): Promise<string[]> {
  const faults = await faultsOf(block, copy)
  return faults.map((fault) => `${block.page}:${block.line}: ${fault}`)
}

async function faultsOf(block: Block, copy: ScratchCopy): Promise<string[]> {
  const { language, isIndented, comment } = block
  if (isIndented) return ['an indented code block; write a fence with a language, so that it can be verified']
  const verify = language === undefined ? undefined : languages[language]
  if (verify === undefined)
    return [`a fence with ${language ?? 'no language'}; write one of ${Object.keys(languages).join(', ')}`]
  const source = /^from: (\S+)$/.exec(comment ?? '')?.[1]
  return source === undefined ? verify(block, copy) : excerptFaults(block.text, source)
}

/** An excerpt has to be in its file, where a line `…` may leave lines out. */
function excerptFaults(text: string, source: string): string[] {
  const file = join(root, source)
  if (!existsSync(file)) return [`there is no ${source}`]
  return isShown(`…\n${text}\n…`, readFileSync(file, 'utf8')) ? [] : [`${source} does not contain this excerpt`]
}

/** Whether a page shows this content; a line `…` on the page may be any lines. Spaces at the end of a line do not count. */
export function isShown(shown: string, content: string): boolean {
  const lines = shown.trimEnd().split('\n')
  const pattern = lines.map((line) => (line.trim() === '…' ? '(?:.*\n)*?' : `${escaped(line.trimEnd())}\n`))
  return new RegExp(`^${pattern.join('')}$`).test(`${content.replace(/[ \t]+$/gm, '').trimEnd()}\n`)
}

const escaped = (text: string) => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')

async function scriptFaults({ text }: Block): Promise<string[]> {
  const faults = await Promise.all(shellCommands(text).map((command) => commandFault(command)))
  return faults.filter((fault) => fault !== undefined)
}

/** Runs each command of a console block and compares what it prints. */
async function sessionFaults({ text, comment }: Block, copy: ScratchCopy): Promise<string[]> {
  const [before, ...commands] = text.split(/^\$ /m)
  if (before !== '' || commands.length === 0) return ['a console block begins with "$ " and a command; else write text']
  const change = /^after: (.+)$/.exec(comment ?? '')?.[1]
  const faults: string[] = []
  for (const entry of commands) {
    const [command = '', ...shown] = entry.split('\n')
    const output = await copy.output(command, change)
    if (!isShown(shown.join('\n'), output)) faults.push(`${command} prints something else; write:\n${output}`)
  }
  return faults
}

/** The schemas of our own files, by name. */
const schemas: Readonly<Record<string, string>> = {
  'check.yaml': 'scripts/check/config.schema.json',
  'promotion.yaml': 'scripts/promotion/promotion.schema.json',
  'versions.yaml': 'overlays/versions.schema.json',
  'environment.yaml': 'overlays/environment.schema.json',
}

async function yamlFaults({ text }: Block): Promise<string[]> {
  const errors = parseAllDocuments(text).flatMap((document) => document.errors.map(({ message }) => message))
  if (errors.length > 0) return errors
  const rules = unknownRules(text)
  if (/^# expect /.test(text)) return [...rules, ...fixtureFaults(text)]
  const value: Value = parse(text)
  const file = /^# (\S+\.yaml)$/m.exec(text)?.[1]
  if (file !== undefined && !existsSync(join(root, file))) return [`there is no ${file}`]
  const schema = schemas[basename(file ?? '')]
  if (schema !== undefined) return [...rules, ...(await schemaFaults(value, schema))]
  if (basename(file ?? '') === 'kustomization.yaml') return kustomizationFaults(value, dirname(file ?? ''))
  const isObject = at(value, 'metadata') !== undefined || at(value, 'kind') !== undefined
  return isObject ? rules : ['begin the block with the file that it belongs to: # overlays/prod/versions.yaml']
}

/** Rules that an exemption names and that do not exist. */
function unknownRules(text: string): string[] {
  const named = text.matchAll(/(?:\/exempt\.|\brule: )([a-z][a-z-]*)/g)
  return [...named].flatMap(([, rule = '']) => (ruleIds.get(rule) === rule ? [] : [`there is no rule ${rule}`]))
}

/** A fixture has a fix for each finding that it expects, and whole objects. */
function fixtureFaults(text: string): string[] {
  const unfixed = expectations(text).filter(({ fix }) => fix.length === 0)
  const partial = parseAllDocuments(text).filter((document) => !document.has('apiVersion') || !document.has('kind'))
  return [
    ...unfixed.map(({ finding }) => `the fixture has no "# fix" for ${finding}`),
    ...partial.map(() => 'an object of the fixture has no apiVersion or kind'),
  ]
}

/** An excerpt may leave out what a file must have, but nothing in it may be wrong. */
async function schemaFaults(value: Value, schema: string): Promise<string[]> {
  const validate = await validator(JSON.parse(readFileSync(join(root, schema), 'utf8')))
  validate(value)
  const errors = (validate.errors ?? []).filter(({ keyword }) => keyword !== 'required')
  return errors.map(({ instancePath, message }) => `${instancePath} ${message} (${schema})`)
}

/** What a kustomization lists has to exist beside it, and a patch has to be a list of operations or an object. */
function kustomizationFaults(value: Value, folder: string): string[] {
  const { components, resources, patches } = fields(value)
  const paths = [...items(components), ...items(resources)].map((path) => join(folder, String(path)))
  const missing = paths.filter((path) => !existsSync(join(root, path))).map((path) => `there is no ${path}`)
  const texts = items(patches).map((patch) => String(at(patch, 'patch') ?? ''))
  return [...missing, ...texts.flatMap((patch) => faultIn(() => parse(patch)))]
}

function faultIn(read: () => unknown): string[] {
  try {
    read()
    return []
  } catch (error) {
    return [(error as Error).message]
  }
}
