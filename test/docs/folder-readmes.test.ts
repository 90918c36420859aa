import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { root } from '#cli/paths.ts'

it.each(['base', 'components'])('%s/README.md has a row for every folder', (folder) => {
  const rows = [...readFileSync(join(root, folder, 'README.md'), 'utf8').matchAll(/^\| \[`([^`]+)`\]\(\1\) \|/gm)]
  const folders = readdirSync(join(root, folder), { withFileTypes: true }).filter((entry) => entry.isDirectory())
  expect(rows.map(([, name]) => name).sort()).toEqual(folders.map(({ name }) => name).sort())
})
