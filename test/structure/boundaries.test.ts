import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { cruise, type IConfiguration } from 'dependency-cruiser'
import { expect, it } from 'vitest'
import { root } from '#cli/paths.ts'
import { scratchRepository } from '../support/repository.ts'

const { options, ...ruleSet }: IConfiguration = (await import(join(root, '.dependency-cruiser.mjs'))).default

/** The violations below a folder, each once: `rule: from → to`. */
async function violations(baseDir: string, folders: string[]): Promise<string[]> {
  const { output } = await cruise(folders, { ...options, baseDir, validate: true, ruleSet })
  if (typeof output === 'string') throw new Error(`expected an object, got ${output}`)
  const found = output.summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`)
  return [...new Set(found)].sort()
}

it('the sources of this repository have none', async () => {
  expect(await violations(root, ['scripts', 'e2e'])).toEqual([])
})

it.each<[what: string, files: Record<string, string>, rule: string]>([
  [
    'a cycle of files',
    {
      'scripts/diff/a.ts': `import { b } from './b.ts'\nexport const a = () => b`,
      'scripts/diff/b.ts': `import { a } from './a.ts'\nexport const b = () => a`,
    },
    'no-cycles: scripts/diff/a.ts → scripts/diff/b.ts',
  ],
  [
    'a cycle of types alone',
    {
      'scripts/diff/a.ts': `import type { B } from './b.ts'\nexport type A = B | 1`,
      'scripts/diff/b.ts': `import type { A } from './a.ts'\nexport type B = A[]`,
    },
    'no-cycles: scripts/diff/a.ts → scripts/diff/b.ts',
  ],
  [
    'a lower area that imports a higher one',
    { 'scripts/manifests/a.ts': `export * from '#check/b.ts'`, 'scripts/check/b.ts': 'export const b = 1' },
    'manifests-imports-lower-areas: scripts/manifests/a.ts → scripts/check/b.ts',
  ],
  [
    'an area that imports one of its own row',
    { 'scripts/diff/a.ts': `import('#cluster/b.ts')`, 'scripts/cluster/b.ts': 'export const b = 1' },
    'diff-imports-lower-areas: scripts/diff/a.ts → scripts/cluster/b.ts',
  ],
  [
    'an area that the order does not name',
    { 'scripts/attic/a.ts': `import { join } from 'node:path'\nexport const a = join('b')` },
    'every-area-has-its-place: scripts/attic/a.ts → path',
  ],
  [
    'a model that reads files',
    { 'scripts/kubernetes/model/a.ts': `import { readFileSync } from 'node:fs'\nexport const a = readFileSync` },
    'kubernetes-is-pure: scripts/kubernetes/model/a.ts → fs',
  ],
  [
    'a model that starts processes',
    {
      'scripts/kubernetes/network/a.ts': `import { run } from '#system/process.ts'\nexport const a = run`,
      'scripts/system/process.ts': 'export const run = 1',
    },
    'kubernetes-is-pure: scripts/kubernetes/network/a.ts → scripts/system/process.ts',
  ],
  [
    'a program that imports tests',
    {
      'scripts/diff/a.ts': `import { b } from '../../test/b.ts'\nexport const a = b`,
      'test/b.ts': 'export const b = 1',
    },
    'no-tests-in-the-program: scripts/diff/a.ts → test/b.ts',
  ],
  [
    'a service that imports another one',
    {
      'apps/worker/src/a.ts': `import { b } from '../../gateway/src/b.ts'\nexport const a = b`,
      'apps/gateway/src/b.ts': 'export const b = 1',
    },
    'services-stand-alone: apps/worker/src/a.ts → apps/gateway/src/b.ts',
  ],
])('%s is refused', async (_, files, rule) => {
  const imports = JSON.stringify({ type: 'module', imports: { '#*': './scripts/*' } })
  const folder = scratchRepository({ ...files, 'package.json': imports })
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  const folders = [...new Set(Object.keys(files).map((file) => file.split('/')[0] ?? ''))]
  expect(await violations(folder, folders)).toContain(rule)
})
