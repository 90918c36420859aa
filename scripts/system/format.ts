import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './process.ts'

/** Formats those of the files that Biome formats, by their paths from the root; nothing happens where Biome is not installed. */
export async function formatFiles(root: string, files: readonly string[]): Promise<void> {
  const biome = join(root, 'node_modules', '.bin', 'biome')
  const formatted = files.filter((file) => /\.(?:ts|json)$/.test(file) && file !== 'package-lock.json')
  if (existsSync(biome) && formatted.length > 0)
    await run(biome, ['check', '--write', ...formatted.map((file) => join(root, file))])
}
