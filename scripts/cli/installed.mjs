// Ends with exit code 2 where the dependencies are not installed: `node scripts/cli/installed.mjs && biome check .`
import { existsSync } from 'node:fs'
import { join } from 'node:path'

const home = join(import.meta.dirname, '../..')

/** Whether the commands can be built: a published package holds them ready, a checkout builds them with its dependencies. */
function isInstalled() {
  if (existsSync(join(home, 'dist/commands'))) return true
  try {
    import.meta.resolve('esbuild')
    return true
  } catch {
    return false
  }
}

if (!isInstalled()) {
  process.stderr.write(`error: the dependencies are not installed; run npm ci first, in ${home}\n`)
  process.exit(2)
}
