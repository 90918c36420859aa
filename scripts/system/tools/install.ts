import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { UsageError } from '#cli/errors.ts'
import { build } from './build.ts'
import { type ToolName, tools } from './catalog.ts'
import { download } from './download.ts'
import { installedPath, isProgram, type Places } from './places.ts'
import { Unavailable } from './unavailable.ts'

/**
 * Installs a program at its pinned version: the upstream release if it can be reached, else a build with Go.
 * The program appears under its final name only when it is complete, so two processes at the same time do each other no harm.
 * @throws UsageError when neither works, or when a download does not match its checksum
 */
export async function install(name: ToolName, places: Places): Promise<string> {
  const target = installedPath(name, places)
  if (isProgram(target)) return target
  mkdirSync(places.folder, { recursive: true })
  const draft = mkdtempSync(join(places.folder, `draft-${name}-`))
  try {
    const reasons: string[] = []
    for (const way of [download, build]) {
      try {
        await way(name, draft, places)
        return keep(draft, target, name)
      } catch (error) {
        if (!(error instanceof Unavailable)) throw error
        reasons.push(error.message)
      }
    }
    throw new UsageError(cannotInstall(name, reasons))
  } finally {
    rmSync(draft, { recursive: true, force: true })
  }
}

function cannotInstall(name: ToolName, reasons: readonly string[]): string {
  const { version } = tools[name]
  return [
    `could not install ${name} ${version}`,
    `  on PATH: no ${name} of version ${version}`,
    ...reasons.map((reason) => `  ${reason}`),
    `Put ${name} ${version} on PATH, or connect to the internet, or install Go (https://go.dev/dl), then run: npm run tools -- ${name}`,
  ].join('\n')
}

/** Moves the finished program to its place; when another process was first, its program is the same and stays. */
function keep(draft: string, target: string, name: string): string {
  const folder = join(draft, 'done')
  mkdirSync(folder)
  renameSync(join(draft, name), join(folder, name))
  chmodSync(join(folder, name), 0o755)
  try {
    renameSync(folder, dirname(target))
  } catch (error) {
    if (!isProgram(target)) throw error
  }
  return target
}
