import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConfigurationError, loadConfig, variables } from '@inference/common/config.ts'
import Type from 'typebox'
import { expect, onTestFinished, test } from 'vitest'

const { PORT, REDIS_URL, REDIS_USERNAME, REDIS_PASSWORD, CHAT_MODEL } = variables
const schema = Type.Object({ PORT, REDIS_URL, REDIS_USERNAME, REDIS_PASSWORD, CHAT_MODEL })
const right = { REDIS_USERNAME: 'gateway', REDIS_PASSWORD: 'secret', CHAT_MODEL: 'tiny:latest' }

function secretFile(content: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'secret-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'password'), content)
  return join(folder, 'password')
}

function messageOf(environment: Record<string, string>): string {
  try {
    loadConfig(schema, environment)
  } catch (error) {
    if (error instanceof ConfigurationError) return error.message
  }
  throw new Error('no ConfigurationError')
}

test('reads numbers, fills in defaults, and takes no other variable', () => {
  expect(loadConfig(schema, { ...right, PORT: '9000', OTHER: 'x' })).toEqual({
    ...right,
    PORT: 9000,
    REDIS_URL: 'redis://redis:6379',
  })
})

test('an empty variable counts as not set', () => {
  expect(loadConfig(schema, { ...right, PORT: '' }).PORT).toBe(8080)
})

test('a secret comes from the file that *_FILE names, without the line break at its end', () => {
  const { REDIS_PASSWORD: _, ...rest } = right
  expect(loadConfig(schema, { ...rest, REDIS_PASSWORD_FILE: secretFile('from-file\n') }).REDIS_PASSWORD).toBe(
    'from-file',
  )
})

test('names every wrong variable at once, with what was expected, and never a secret', () => {
  const message = messageOf({ PORT: 'many', REDIS_URL: 'http://x', REDIS_PASSWORD: '', CHAT_MODEL: 'tiny@sha256:12' })
  expect(message).toContain('PORT: ')
  expect(message).toContain('"many"')
  expect(message).toContain('REDIS_URL: ')
  expect(message).toContain('REDIS_USERNAME: is missing; set REDIS_USERNAME, or REDIS_USERNAME_FILE')
  expect(message).toContain('CHAT_MODEL: ')
  const secret = Type.Object({ REDIS_PASSWORD: Type.String({ minLength: 30 }) })
  expect(() => loadConfig(secret, { REDIS_PASSWORD: 'hunter2' })).toThrow('what was given')
  expect(() => loadConfig(secret, { REDIS_PASSWORD: 'hunter2' })).not.toThrow('hunter2')
})

test('a file that cannot be read is told once, with its path', () => {
  const { REDIS_PASSWORD: _, ...rest } = right
  const message = messageOf({ ...rest, REDIS_PASSWORD_FILE: '/no/such/file' })
  expect(message).toContain('REDIS_PASSWORD_FILE: cannot read /no/such/file (ENOENT)')
  expect(message).not.toContain('is missing')
})
