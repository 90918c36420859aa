import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { root } from '#cli/paths.ts'

const { layers }: { layers: string[][] } = await import(join(root, '.dependency-cruiser.mjs'))

function foldersIn(path: string): string[] {
  const entries = readdirSync(join(root, path), { withFileTypes: true })
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)
}

it('scripts/README.md lists the areas in the rows of the boundary check', () => {
  const readme = readFileSync(join(root, 'scripts/README.md'), 'utf8')
  const rows = [...readme.matchAll(/^\| (\d+) \| `([^`]+)` \|/gm)].map(([, row, area]) => `${row} ${area}`)
  const expected = layers.flatMap((areas, index) => areas.map((area) => `${index + 1} ${area}`))
  expect(rows.sort()).toEqual(expected.sort())
})

it('every folder of scripts/ is an area', () => {
  const folders = foldersIn('scripts').flatMap((name) =>
    name === 'kubernetes' ? foldersIn('scripts/kubernetes').map((part) => `kubernetes/${part}`) : [name],
  )
  expect(folders.sort()).toEqual(layers.flat().sort())
})

it('every test is in a folder; the fixtures of the rules are beside theirs', () => {
  const files = readdirSync(join(root, 'test')).filter((name) => name.endsWith('.ts'))
  expect(files).toEqual(['rules.test.ts'])
})
