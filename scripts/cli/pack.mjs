// `npm pack` runs this before (and with --clean after) it packs: the package holds its commands built, so it depends on nothing.
import './installed.mjs'
import { rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { buildAll } from './bundle.mjs'
import { bundleOf, published, sourceOf } from './commands.mjs'

const home = join(import.meta.dirname, '../..')
if (process.argv.includes('--clean')) rmSync(join(home, 'dist'), { recursive: true, force: true })
else
  await buildAll(home, Object.fromEntries(published.map((name) => [basename(bundleOf(name), '.mjs'), sourceOf(name)])))
