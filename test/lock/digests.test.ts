import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { root } from '#cli/paths.ts'
import { writeDigests } from '#lock/lock.ts'
import { scratchRepository } from '../support/repository.ts'

it('npm run lock writes the digest and leaves every comment, also that for editors', () => {
  const file = 'overlays/prod/versions.yaml'
  const before = readFileSync(join(root, file), 'utf8')
  const image = /gateway: (\S+)/.exec(before)?.[1] ?? ''
  const locked = `${image.split('@')[0]}@sha256:${'1'.repeat(64)}`
  const folder = scratchRepository({ [file]: before })
  writeDigests(folder, 'prod', [{ key: 'images.gateway', before: image, after: locked }])
  const after = readFileSync(join(folder, file), 'utf8')
  expect(after.split('\n')[0]).toBe('# yaml-language-server: $schema=../versions.schema.json')
  expect(after).toBe(before.replace(image, locked))
  expect(after).not.toBe(before)
})
