import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Bundles TypeScript sources into a folder.
 * @param entries the sources by the name of their bundle, relative to the project
 * @returns the project's own files that went into it
 */
export async function build(home, entries, outdir) {
  const esbuild = await import('esbuild')
  const { metafile } = await esbuild.build({
    absWorkingDir: home,
    entryPoints: entries,
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    metafile: true,
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    legalComments: 'none',
    // Names stay, so that the stack of an internal error can be read.
    minifySyntax: true,
    minifyWhitespace: true,
    logLevel: 'error',
    // CommonJS dependencies ask for node's own modules by require.
    banner: {
      js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
    },
  })
  // Installed packages are those of package-lock.json.
  return Object.keys(metafile.inputs).filter((file) => !file.includes('node_modules/'))
}

/**
 * The folder of a command's bundle, built where a source, a dependency or Node has changed since the last build.
 * @param name the name of the bundle in that folder
 */
export async function currentBundle(home, name, source) {
  const cache = join(home, '.cache/commands')
  const list = join(cache, `${name}.json`)
  const known = readList(list)
  const folder = known && join(cache, `${name}-${fingerprint(home, known)}`)
  if (folder && isFolder(folder)) return folder
  mkdirSync(cache, { recursive: true })
  // Built beside the final place and renamed, so that two commands at the same time never see half a bundle.
  const unfinished = join(cache, `${name}-unfinished-${process.pid}`)
  const inputs = await build(home, { [name]: source }, unfinished)
  const built = join(cache, `${name}-${fingerprint(home, inputs)}`)
  removeOthers(cache, name, [unfinished, built])
  if (isFolder(built)) rmSync(unfinished, { recursive: true })
  else renameOrKeep(unfinished, built)
  writeFileSync(`${list}.${process.pid}`, JSON.stringify(inputs))
  renameSync(`${list}.${process.pid}`, list)
  return built
}

/** Another process may have finished the same bundle in the meantime. */
function renameOrKeep(from, to) {
  try {
    renameSync(from, to)
  } catch (error) {
    if (!isFolder(to)) throw error
    rmSync(from, { recursive: true, force: true })
  }
}

function removeOthers(cache, name, kept) {
  for (const entry of readdirSync(cache)) {
    const isOld = new RegExp(`^${name}-[0-9a-f]{16}$`).test(entry) && !kept.includes(join(cache, entry))
    if (isOld) rmSync(join(cache, entry), { recursive: true, force: true })
  }
}

function readList(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    // The first build, or a list that was cut short.
    return undefined
  }
}

function isFolder(path) {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}

/** Changes when one of the sources, any dependency, Node, or the way of bundling does. */
function fingerprint(home, files) {
  const hash = createHash('sha256').update(process.version)
  for (const name of [...files, 'package-lock.json', 'package.json', 'scripts/cli/bundle.mjs'].sort()) {
    const found = statSync(join(home, name), { throwIfNoEntry: false })
    hash.update(`${name} ${found?.mtimeMs} ${found?.size}\n`)
  }
  return hash.digest('hex').slice(0, 16)
}

/** Builds all commands into dist/commands, as a published package holds them. */
export async function buildAll(home, entries) {
  const folder = join(home, 'dist/commands')
  rmSync(folder, { recursive: true, force: true })
  await build(home, entries, folder)
}
