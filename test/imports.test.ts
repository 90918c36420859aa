import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseSync } from '@swc/core'
import { expect, it } from 'vitest'
import { root } from '#cli/paths.ts'

/** What a module must not do when it is imported: wait, or call what comes from these. */
const external = ['node:fs', 'node:fs/promises', 'node:child_process', '#system/process.ts']

/** What runs when a module is imported and waits, reads files or starts processes. */
function effectsOf(source: string): string[] {
  const { body } = parseSync(source, { syntax: 'typescript', target: 'es2022' })
  const imported = new Set<string>()
  const effects: string[] = []
  for (const statement of body)
    if (statement.type === 'ImportDeclaration' && external.includes(statement.source.value))
      for (const { local } of statement.specifiers) imported.add(local.value)
  visit(body)
  return effects

  function visit(node: unknown): void {
    if (Array.isArray(node)) for (const each of node) visit(each)
    if (typeof node !== 'object' || node === null || Array.isArray(node)) return
    const { type, body: inner, function: method, callee, ...rest } = node as Record<string, unknown>
    if (type === 'AwaitExpression') effects.push('await')
    const name = (callee as { value?: string } | undefined)?.value ?? ''
    if (type === 'CallExpression' && imported.has(name)) effects.push(name)
    // The body of a function or method runs later.
    const runsLater = /Function|Method|Constructor|ClassProperty/.test(String(type))
    if (!runsLater) visit([inner, method])
    visit(callee)
    for (const value of Object.values(rest)) visit(value)
  }
}

it('finds what a module does when it is imported', () => {
  expect(effectsOf(`import { readFileSync } from 'node:fs'\nexport const a = JSON.parse(readFileSync('a'))`)).toEqual([
    'readFileSync',
  ])
  expect(effectsOf(`const a = await read()\nif (a) for (const b of a) await b()`)).toEqual(['await', 'await'])
  expect(
    effectsOf(`import { readFileSync } from 'node:fs'\nexport const a = async () => { await 1; readFileSync('a') }`),
  ).toEqual([])
  expect(
    effectsOf(`import { readFileSync } from 'node:fs'\nexport class A { read() { return readFileSync('a') } }`),
  ).toEqual([])
})

it('no module waits, reads a file or starts a process when it is imported', () => {
  const scripts = join(root, 'scripts')
  const modules = readdirSync(scripts, { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.endsWith('.ts') && !name.startsWith('commands/'),
  )
  const found = modules.flatMap((name) =>
    effectsOf(readFileSync(join(scripts, name), 'utf8')).map((effect) => `scripts/${name}: ${effect}`),
  )
  expect(found).toEqual([])
})
