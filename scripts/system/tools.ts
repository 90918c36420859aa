import { delimiter, isAbsolute, join } from 'node:path'
import { type ToolName, tools } from './tools/catalog.ts'
import { defaultPlaces, installedPath, isProgram, type Places } from './tools/places.ts'
import { versionOf } from './tools/program-version.ts'

export { type ToolName, tools } from './tools/catalog.ts'
export type { Places } from './tools/places.ts'

// `npm run check` loads this file at every run, so it imports Node's own modules only; what installs is loaded when something is missing.

const found = new Map<ToolName, Promise<string>>()

/**
 * The absolute path of a program at exactly its pinned version. Downloads or builds it, with progress on stderr, where the machine has none.
 * @throws UsageError when it cannot be installed, with what was tried
 */
export function tool(name: ToolName): Promise<string> {
  let path = found.get(name)
  if (path === undefined) {
    path = findOrInstall(name)
    found.set(name, path)
  }
  return path
}

/** `tool` without its memory, for places of one's own. */
export async function findOrInstall(name: ToolName, places: Places = defaultPlaces): Promise<string> {
  const installed = await findInstalled(name, places)
  if (installed !== undefined) return installed
  const { install } = await import('./tools/install.ts')
  return install(name, places)
}

/** The program at its pinned version if the machine has it, on PATH or installed before; undefined otherwise. Downloads nothing. */
export async function findInstalled(name: ToolName, places: Places = defaultPlaces): Promise<string | undefined> {
  for (const folder of places.path.split(delimiter)) {
    // An empty or relative entry means the working folder: never run what happens to be there.
    if (!isAbsolute(folder)) continue
    const path = join(folder, name)
    if ((await versionOf(name, path, places)) === tools[name].version) return path
  }
  const installed = installedPath(name, places)
  return isProgram(installed) ? installed : undefined
}
