import { accessSync, constants, statSync } from 'node:fs'
import { join } from 'node:path'
import { home } from '#cli/paths.ts'
import { type ToolName, tools } from './catalog.ts'

/** Where to look for programs and where to put them; tests use their own. */
export interface Places {
  /** Folders to search, separated as in PATH. */
  readonly path: string
  /** Holds `<name>-<version>/<name>` and the remembered versions of the programs on PATH. */
  readonly folder: string
  /** Rewrites the address of a release. */
  readonly mirror: (url: string) => string
  readonly say: (line: string) => void
}

export const defaultPlaces: Places = {
  path: process.env.PATH ?? '',
  folder: join(home, '.tools'),
  mirror: (url) => url,
  say: (line) => process.stderr.write(`${line}\n`),
}

/** Where a program is once it is installed. */
export function installedPath(name: ToolName, places: Places): string {
  return join(places.folder, `${name}-${tools[name].version}`, name)
}

export function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}
