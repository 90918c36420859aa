import { expect, it } from 'vitest'
import {
  credentialIn,
  isCredentialName,
  isLiteral,
  passwordSetting,
} from '#kubernetes/configuration/credential-patterns.ts'

it.each(['DB_PASSWORD', 'clientSecret', 'API_KEY', 'accessKey', 'token', 'ADMIN_PWD', 'redis-passphrase'])(
  '%s is the name of a credential',
  (name) => expect(isCredentialName(name)).toBe(true),
)

it.each(['PWD', 'PASSWORD_FILE', 'partition-key', 'TLS_SECRET', 'imagePullSecret', 'TOKEN_TTL', 'KEYCLOAK_URL', ''])(
  '%s is not',
  (name) => expect(isCredentialName(name)).toBe(false),
)

it.each([
  '',
  'true',
  '30',
  '/run/secrets/password',
  'https://vault.test',
  '$(PASSWORD)',
  '$PASSWORD',
  '{{ .password }}',
  '<password>',
  'vault:secret/a',
])('"%s" stands for a credential and is none', (value) => expect(isLiteral(value)).toBe(false))

it('a literal is one', () => expect(isLiteral('correct-horse')).toBe(true))

// Put together here, so that no scanner takes this file for a leak.
it.each([
  ['a private key', `-----BEGIN RSA PRIVATE ${'KEY'}-----`],
  ['an AWS access key', `AKIA${'ABCDEFGHIJKLMNOP'}`],
  ['a GitHub token', `ghp_${'a'.repeat(36)}`],
  ['a URL with a password', `postgres://app:${'hunter2'}@db/app`],
])('finds %s by its form and does not repeat it', (name, value) => {
  expect(credentialIn(`first line\n${value}`)).toBe(name)
})

it.each(['postgres://app:$(PASSWORD)@db/app', 'https://example.test/a:b', 'plain text'])('finds none in %s', (value) =>
  expect(credentialIn(value)).toBeUndefined(),
)

it('names the setting of a file that sets a password', () => {
  expect(passwordSetting('user = app\ndb.password = hunter2\n')).toBe('db.password')
  expect(passwordSetting('password: $PASSWORD\nsecret: my-secret\n')).toBeUndefined()
})
