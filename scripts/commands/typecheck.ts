import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { parseCommandLine, runCommand } from '#cli/command-line.ts'
import { exit } from '#cli/errors.ts'
import { home } from '#cli/paths.ts'
import { showWork } from '#cli/progress.ts'

const usage = `usage: npm run typecheck

Checks the types of all sources, tests and benches with tsc.`

await runCommand(async () => {
  parseCommandLine(usage, {}, { ok: 'passed', findings: 'type errors' })
  return showWork('checking types', tsc)
})

/** tsc prints what it finds once it is done. */
function tsc(): Promise<number> {
  const child = spawn(join(home, 'node_modules/.bin/tsc'), ['--noEmit'], { cwd: home, stdio: 'inherit' })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve(code === 0 ? exit.ok : exit.findings))
  })
}
