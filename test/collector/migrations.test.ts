import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { readMigrations } from '../../apps/collector/src/migrations.ts'

test('the migrations of the collector are numbered without a gap', () => {
  expect(readMigrations('apps/collector/migrations').map(({ name }) => name)).toContain('0001-results.sql')
})

test('a gap in the numbers is reported with the expected name', () => {
  const folder = mkdtempSync(join(tmpdir(), 'migrations-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  cpSync('apps/collector/migrations', folder, { recursive: true })
  writeFileSync(join(folder, '0003-gap.sql'), 'select 1')
  expect(() => readMigrations(folder)).toThrow(/0003-gap.sql: expected 0002-/)
})
