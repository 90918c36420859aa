import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
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

/** What is started by its name, and so runs when it is imported: the commands, and the programs that the images of the services are built from. */
function startedByName(): Set<string> {
  const services = readdirSync(join(root, 'apps')).map((name) => join('apps', name, 'package.json'))
  const programs = services
    .filter((file) => existsSync(join(root, file)))
    .flatMap((file) => {
      const { scripts = {} } = JSON.parse(readFileSync(join(root, file), 'utf8'))
      return [...String(scripts.build).matchAll(/src\/\S+\.ts/g)].map(([program]) => join(dirname(file), program))
    })
  const commands = readdirSync(join(root, 'scripts/commands')).map((name) => join('scripts/commands', name))
  return new Set([...commands, ...programs])
}

it('no module waits, reads a file or starts a process when it is imported', () => {
  const started = startedByName()
  expect(started).toContain('apps/worker/src/pull-models.ts')
  const modules = ['scripts', 'apps', 'e2e'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
  )
  const found = modules
    .filter((name) => /^(?:scripts|e2e|apps\/[^/]+\/src)\/.*\.ts$/.test(name) && !started.has(name))
    .flatMap((name) => effectsOf(readFileSync(join(root, name), 'utf8')).map((effect) => `${name}: ${effect}`))
  expect(found).toEqual([])
})
