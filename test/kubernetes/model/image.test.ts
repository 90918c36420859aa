import { expect, it } from 'vitest'
import { parseImage } from '#kubernetes/model/image.ts'

const digest = `sha256:${'a'.repeat(64)}`

it.each([
  ['redis', undefined, 'redis', undefined, undefined],
  ['redis:8', undefined, 'redis', '8', undefined],
  ['library/redis:8.2', undefined, 'library/redis', '8.2', undefined],
  ['ghcr.io/some/app:1.0', 'ghcr.io', 'some/app', '1.0', undefined],
  ['localhost/app', 'localhost', 'app', undefined, undefined],
  ['localhost:5000/app:1', 'localhost:5000', 'app', '1', undefined],
  [`registry.k8s.io/a/b/c:v1@${digest}`, 'registry.k8s.io', 'a/b/c', 'v1', digest],
  [`app@${digest}`, undefined, 'app', undefined, digest],
])('reads %s', (reference, registry, repository, tag, expectedDigest) => {
  expect(parseImage(reference)).toEqual({ registry, repository, tag, digest: expectedDigest })
})

it.each([
  '',
  'App',
  'ghcr.io/Some/app',
  'app:',
  'app:tag with space',
  'app@sha256:abc',
  `app@sha256:${'A'.repeat(64)}`,
  'https://ghcr.io/app',
  '-app',
  'app//app',
  `app:${'t'.repeat(129)}`,
])('refuses "%s"', (reference) => {
  expect(parseImage(reference)).toBeUndefined()
})
