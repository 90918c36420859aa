import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'

/** Runs a program that logs as a process: what counts is its output once it has exited. */
function logOf(program: string): Record<string, unknown>[] {
  const source = `import { createLog } from './apps/common/src/log.ts'\nconst log = createLog('test')\n${program}`
  const { stdout } = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', source], {
    encoding: 'utf8',
  })
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

test('every line is written, also those just before process.exit', () => {
  const lines = logOf('for (let i = 0; i < 1000; i++) log.info({ i }, "line")\nprocess.exit(1)')
  expect(lines.map(({ i }) => i)).toEqual(Array.from({ length: 1000 }, (_, i) => i))
})

test('a line has service, level by name, ISO time and message; private fields are redacted', () => {
  const [line] = logOf('log.warn({ prompt: "my secret", text: "mine", password: "x", id: "1" }, "seen")')
  expect(line).toMatchObject({ service: 'test', level: 'warn', message: 'seen', id: '1' })
  expect(line?.time).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
  expect([line?.prompt, line?.text, line?.password]).toEqual(Array(3).fill('[Redacted]'))
})
