import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'
import { root } from '#cli/paths.ts'

const environments = readdirSync(join(root, 'overlays'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .flatMap(({ name }) => [`overlays/${name}/environment.yaml`, `overlays/${name}/versions.yaml`])

it.each(['check.yaml', 'promotion.yaml', ...environments])('%s names its schema for editors', (file) => {
  const [first = ''] = readFileSync(join(root, file), 'utf8').split('\n')
  const [, schema] = /^# yaml-language-server: \$schema=(\S+\.schema\.json)$/.exec(first) ?? []
  expect(schema).toBeDefined()
  expect(existsSync(join(root, dirname(file), schema ?? '')), `${file} names ${schema}`).toBe(true)
})
