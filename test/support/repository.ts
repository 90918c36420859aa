import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'

export const project = join(import.meta.dirname, '../..')

/** A scratch repository with the given files, the project's schemas and tools, gone when the test ends. */
export function scratchRepository(files: Record<string, string | Buffer>): string {
  const folder = mkdtempSync(join(tmpdir(), 'repository-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), content)
  }
  mkdirSync(join(project, '.tools'), { recursive: true })
  for (const shared of ['schemas', '.tools']) symlinkSync(join(project, shared), join(folder, shared))
  return folder
}

/** Runs a command of the project on the repository in a folder; `typedIn` is the folder in which somebody typed it. */
export function runCommand(folder: string, args: readonly string[], input?: string | Buffer, typedIn = folder) {
  const environment = { ...process.env, INFERENCE_PLATFORM_ROOT: folder, NO_COLOR: '1' }
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(project, 'scripts/run.mjs'), ...args], {
    cwd: typedIn,
    env: environment,
    encoding: 'utf8',
    input: input ?? '',
    maxBuffer: 64e6,
  })
  return { code: status, stdout, stderr }
}
