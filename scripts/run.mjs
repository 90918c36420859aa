// Starts a command of this folder: `node scripts/run.mjs check --format json`.
// The TypeScript is bundled once and the bundle kept until a source changes, because people wait for these commands at every save: starting the
// bundle costs about a fifth of the processor time of transpiling at every start (bench/check.ts measures both).
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import * as nodeModule from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'

const root = dirname(import.meta.dirname)
const [command = '', ...args] = process.argv.slice(2)

/** Changes when any source, any dependency or Node itself does. */
function fingerprint() {
  const hash = createHash('sha256').update(process.version)
  // apps: the rules read the configuration of the services.
  const sources = ['scripts', 'apps'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true }).map((name) => join(folder, name)),
  )
  for (const name of [...sources, 'package-lock.json', 'schemas/kinds.json'].sort()) {
    const { mtimeMs, size } = statSync(join(root, name))
    hash.update(`${name} ${mtimeMs} ${size}\n`)
  }
  return hash.digest('hex').slice(0, 16)
}

/** Builds beside the final place and renames, so that two commands at once never see half a bundle. */
async function bundle(folder) {
  const { build } = await import('esbuild')
  const unfinished = `${folder}.${process.pid}`
  await build({
    absWorkingDir: root,
    entryPoints: [join('scripts', `${command}.ts`)],
    outdir: unfinished,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    legalComments: 'none',
    // Names stay, so that a fault's stack can be read.
    minifySyntax: true,
    minifyWhitespace: true,
    logLevel: 'error',
    // CommonJS dependencies ask for node's own modules by require.
    banner: {
      js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
    },
  })
  for (const name of readdirSync(dirname(folder))) {
    const stale = name.startsWith(`${command}-`) && !name.includes(`.${process.pid}`)
    if (stale) rmSync(join(dirname(folder), name), { recursive: true, force: true })
  }
  renameSync(unfinished, folder)
}

if (!existsSync(join(root, 'scripts', `${command}.ts`))) {
  const commands = readdirSync(join(root, 'scripts')).filter((name) => name.endsWith('.ts'))
  process.stderr.write(
    `error: no command "${command}"; expected one of ${commands.map((name) => name.slice(0, -3)).join(', ')}\n`,
  )
  process.exit(2)
}
const folder = join(root, '.cache', 'commands', `${command}-${fingerprint()}`)
if (!existsSync(folder)) {
  mkdirSync(dirname(folder), { recursive: true })
  try {
    await bundle(folder)
  } catch (error) {
    // esbuild has named file, line and column on stderr.
    process.stderr.write(
      `The sources of the command do not build, so nothing was checked: ${error.message.split('\n')[0]}\n`,
    )
    process.exit(3)
  }
}
process.argv = [process.execPath, join(root, 'scripts', `${command}.ts`), ...args]
nodeModule.enableCompileCache?.(join(root, '.cache', 'v8'))
await import(pathToFileURL(join(folder, `${command}.mjs`)).href)
