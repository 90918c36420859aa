import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

/**
 * Path of a file that is shipped beside the program (`data/…`, `public/…`). The program runs from `src/recipes/` or, bundled,
 * from `dist/`, so the folder that holds the file is looked for upwards.
 */
export function appFile(name: string): string {
  let folder = import.meta.dirname
  while (!existsSync(join(folder, name))) {
    const parent = dirname(folder)
    if (parent === folder) {
      throw new Error(
        `${name} is in no folder from ${import.meta.dirname} upwards; it must be shipped with the gateway`,
      )
    }
    folder = parent
  }
  return join(folder, name)
}
