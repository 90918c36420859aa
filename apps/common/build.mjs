// Bundles the entry points of a service into dist/, so that an image needs Node and nothing else: no node_modules, no loader.
import { rmSync } from 'node:fs'
import { build } from 'esbuild'

const entryPoints = process.argv.slice(2)
if (entryPoints.length === 0)
  throw new Error('usage: node ../common/build.mjs <entry.ts>… (run in the folder of the service)')

rmSync('dist', { recursive: true, force: true })
await build({
  entryPoints,
  outdir: 'dist',
  bundle: true,
  splitting: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  // CommonJS libraries in the bundle call require(), which ES modules lack.
  banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  // An optional native addon of pg that is not installed.
  external: ['pg-native'],
  logLevel: 'warning',
})
