import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

/**
 * Path of a file that is shipped beside the program (`data/…`, `public/…`). The program runs from `src/recipes/` or, bundled,
 * from `dist/`, so the file is searched for in the parent folders.
 */
export function appFile(name: string): string {
  let folder = import.meta.dirname
  while (!existsSync(join(folder, name))) {
    const parent = dirname(folder)
    if (parent === folder) {
      throw new Error(
        `${name} was not found in ${import.meta.dirname} or a parent folder; it must be shipped with the gateway`,
      )
    }
    folder = parent
  }
  return join(folder, name)
}
