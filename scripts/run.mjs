#!/usr/bin/env node
// Starts a command: `node scripts/run.mjs check --format json`, or `inference-platform check --format json` from the package.
// The TypeScript is bundled once and the bundle kept until a source changes, because people wait for these commands at every save: starting the
// bundle costs about a fifth of the processor time of transpiling at every start (bench/check.ts measures both).
import './cli/installed.mjs'
import { existsSync, readFileSync } from 'node:fs'
import * as nodeModule from 'node:module'
import { basename, dirname, join, resolve, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import { bundleOf, commandsIn, overview, runsFromSources, sourceOf } from './cli/commands.mjs'

const home = dirname(import.meta.dirname)
const [command = '--help', ...args] = process.argv.slice(2)

function fail(message, code = 2) {
  process.stderr.write(`error: ${message}\n`)
  process.exit(code)
}

/** The folder in which the command was typed: npm runs its scripts in the project's folder and keeps the other in INIT_CWD. */
function typedIn() {
  const isScript = process.env.npm_lifecycle_script?.includes(`run.mjs ${command}`) === true
  return (isScript && process.env.INIT_CWD) || process.cwd()
}

/** Takes `--root DIR` from the arguments, which every command has, and gives its value. */
function takeRoot() {
  const end = args.indexOf('--')
  const at = args.findIndex((arg, index) => /^--root(=|$)/.test(arg) && (end === -1 || index < end))
  if (at === -1) return undefined
  const [option, value] = args.splice(at, args[at] === '--root' ? 2 : 1)
  const folder = option === '--root' ? value : option.slice('--root='.length)
  if (!folder) fail('--root needs a folder')
  return folder
}

/** The repository that the command works on. */
function repository(typed) {
  const given = takeRoot() ?? process.env.INFERENCE_PLATFORM_ROOT
  const isPackage = home.includes(`${sep}node_modules${sep}`)
  const folder = given === undefined ? (isPackage ? typed : home) : resolve(typed, given)
  if (!existsSync(folder)) fail(`no such folder: ${given}; --root names the repository`)
  return folder
}

/** Once for each command, and only for a person: nothing that reads the output must cope with it. */
function noteOldNode() {
  const [major] = process.versions.node.split('.')
  const { engines } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'))
  const [, oldest] = /(\d+)/.exec(engines.node)
  if (process.stderr.isTTY && Number(major) < Number(oldest))
    process.stderr.write(
      `note: Node ${process.versions.node} still works but is not supported; install a version that satisfies ${engines.node}\n`,
    )
}

/** The module to import: the bundle of the package, that of this checkout, or the source itself. */
async function moduleOf() {
  if (runsFromSources(command)) {
    const { register } = await import('tsx/esm/api')
    register()
    return join(home, sourceOf(command))
  }
  const published = join(home, bundleOf(command))
  if (existsSync(published) && !existsSync(join(home, sourceOf(command)))) return published
  const name = basename(published)
  try {
    const { currentBundle } = await import('./cli/bundle.mjs')
    return join(await currentBundle(home, name.replace(/\.mjs$/, ''), sourceOf(command)), name)
  } catch (error) {
    // esbuild has named file, line and column on stderr.
    return fail(`the sources of the command do not build, so nothing was done: ${error.message.split('\n')[0]}`, 3)
  }
}

if (command === '--help' || command === '-h') {
  process.stdout.write(overview(home))
  process.exit(0)
}
if (!commandsIn(home).includes(command)) fail(`no command "${command}"\n\n${overview(home)}`)
noteOldNode()
const typed = typedIn()
const root = repository(typed)
Object.assign(process.env, {
  INFERENCE_PLATFORM_HOME: home,
  INFERENCE_PLATFORM_ROOT: root,
  INFERENCE_PLATFORM_COMMAND: command,
  INIT_CWD: typed,
})
const file = await moduleOf()
process.chdir(root)
process.argv = [process.execPath, join(home, sourceOf(command)), ...args]
nodeModule.enableCompileCache?.(join(home, '.cache', 'v8'))
await import(pathToFileURL(file).href)
