import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConfigurationError, loadConfig } from '@inference/common/config.ts'
import { pick, variables } from '@inference/common/variables.ts'
import { expect, onTestFinished, test } from 'vitest'

const definitions = pick('PORT', 'REDIS_URL', 'REDIS_USERNAME', 'REDIS_PASSWORD', 'CHAT_MODEL')
const valid = { REDIS_USERNAME: 'gateway', REDIS_PASSWORD: 'secret', CHAT_MODEL: 'tiny:latest' }

function secretFile(content: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'secret-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'password'), content)
  return join(folder, 'password')
}

function messageOf(environment: Record<string, string>): string {
  try {
    loadConfig(definitions, environment)
  } catch (error) {
    if (error instanceof ConfigurationError) return error.message
  }
  throw new Error('no ConfigurationError')
}

test('reads numbers, fills in defaults, and ignores other variables', () => {
  expect(loadConfig(definitions, { ...valid, PORT: '9000', OTHER: 'x' })).toEqual({
    ...valid,
    PORT: 9000,
    REDIS_URL: 'redis://redis:6379',
  })
})

test('an empty variable counts as not set', () => {
  expect(loadConfig(definitions, { ...valid, PORT: '' }).PORT).toBe(8080)
})

test('a secret comes from the file that *_FILE names, without the trailing line break', () => {
  const { REDIS_PASSWORD: _, ...rest } = valid
  expect(loadConfig(definitions, { ...rest, REDIS_PASSWORD_FILE: secretFile('from-file\n') }).REDIS_PASSWORD).toBe(
    'from-file',
  )
})

test('reports every invalid variable together, with what was expected, and never a secret', () => {
  const message = messageOf({ PORT: 'many', REDIS_URL: 'http://x', REDIS_PASSWORD: '', CHAT_MODEL: 'tiny@sha256:12' })
  expect(message).toContain('PORT: expected a whole number from 0 to 65535, but got "many"')
  expect(message).toContain('REDIS_URL: ')
  expect(message).toContain('REDIS_USERNAME: is missing; set REDIS_USERNAME, or REDIS_USERNAME_FILE')
  expect(message).toContain('CHAT_MODEL: ')
  const secret = { REDIS_PASSWORD: { ...variables.REDIS_PASSWORD, pattern: '.{30}' } }
  expect(() => loadConfig(secret, { REDIS_PASSWORD: 'hunter2' })).toThrow('the given value')
  expect(() => loadConfig(secret, { REDIS_PASSWORD: 'hunter2' })).not.toThrow('hunter2')
})

test('a file that cannot be read is reported once, with its path', () => {
  const { REDIS_PASSWORD: _, ...rest } = valid
  const message = messageOf({ ...rest, REDIS_PASSWORD_FILE: '/no/such/file' })
  expect(message).toContain('REDIS_PASSWORD_FILE: cannot read /no/such/file (ENOENT)')
  expect(message).not.toContain('is missing')
})

test('values are numbers, booleans and texts; an optional variable may be missing', () => {
  const all = pick('BATCH_SIZE', 'OTEL_TRACES_SAMPLER_ARG', 'REQUIRE_GPU', 'LOG_LEVEL', 'POD_NAME')
  expect(loadConfig(all, { BATCH_SIZE: '7', OTEL_TRACES_SAMPLER_ARG: '0.5', REQUIRE_GPU: 'true' })).toEqual({
    BATCH_SIZE: 7,
    OTEL_TRACES_SAMPLER_ARG: 0.5,
    REQUIRE_GPU: true,
    LOG_LEVEL: 'info',
  })
})

test.each([
  ['BATCH_SIZE', '7.5', 'a whole number from 1 to 1000'],
  ['BATCH_SIZE', '1001', 'a whole number from 1 to 1000'],
  ['CONTEXT_LENGTH', 'Infinity', 'a whole number from 64'],
  ['JOB_TIMEOUT_SECONDS', '0', 'a number above 0'],
  ['REQUIRE_GPU', 'yes', 'one of true, false'],
  ['LOG_LEVEL', 'loud', 'one of fatal, error, warn'],
  ['OLLAMA_HOSTS', 'ollama:11434', 'a match of '],
] as const)('%s=%s is rejected', (name, value, expected) => {
  expect(() => loadConfig(pick(name), { [name]: value })).toThrow(`${name}: expected ${expected}`)
})
