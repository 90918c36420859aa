import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { UsageError } from './errors.ts'

type Environment = Readonly<Record<string, string | undefined>>
type Options = Readonly<Record<string, { readonly type: 'string' | 'boolean' }>>

/** An option that was typed before `--`: npm took it and left it in the environment. */
interface Taken {
  readonly name: string
  readonly isFlag: boolean
  /** `true` where npm saw no value; a value that followed is then among the positional arguments. */
  readonly value: string
  /** Whether npm left it under its own name, and not under a name of npm's that begins with it. */
  readonly isExact: boolean
}

/**
 * Finds the options of a command that npm took for itself (`npm run rollback staging --dry-run`).
 * @param args what npm passed on
 * @returns the flags to add to the arguments, where it is certain what was meant
 * @throws UsageError with the command to type instead, where it is not: better than to act without an option that someone typed
 */
export function flagsTakenByNpm(options: Options, args: readonly string[], env: Environment = process.env): string[] {
  const typed = typedCommand(env)
  if (typed === undefined) return []
  if (
    options['dry-run'] === undefined &&
    takenUnder('dry-run', true, {}, env).length > 0 &&
    !isConfigured('dry_run', env)
  )
    throw new UsageError('npm took --dry-run, which this command does not have; nothing was done')
  const all: Options = { ...options, root: { type: 'string' } }
  const taken = Object.entries(all).flatMap(([name, { type }]) => takenUnder(name, type === 'boolean', all, env))
  const isCertain = taken.every(({ isFlag, isExact, value }) => isFlag && isExact && value === 'true')
  if (isCertain) return taken.map(({ name }) => `--${name}`)
  const names = taken.map(({ name }) => `--${name}`).join(' and ')
  throw new UsageError(
    `npm keeps options that are typed before --; put -- before ${names}: ${corrected(typed, taken, args)}`,
  )
}

/** What to add to the complaint about a positional argument that may be the value of an option that npm took. */
export function hintForValue(option: string, value: string, env: Environment = process.env): string {
  const typed = typedCommand(env)
  return typed === undefined ? '' : `; put -- before --${option}: ${typed} --${option} ${value}`
}

/** How this command is typed, up to its options, when npm has started it and no other command; undefined otherwise. */
function typedCommand(env: Environment): string | undefined {
  const { npm_lifecycle_event: script, npm_lifecycle_script: line = '', INFERENCE_PLATFORM_COMMAND: command } = env
  if (script === 'npx') return `npx inference-platform ${command}`
  // Tests and other commands start commands too: their options are not meant for this one.
  return line.match(/run\.mjs (\S+)/)?.[1] === command ? `npm run ${script} --` : undefined
}

function takenUnder(name: string, isFlag: boolean, options: Options, env: Environment): Taken[] {
  const key = name.replaceAll('-', '_')
  return Object.entries(env).flatMap(([variable, value = '']) => {
    const found = /^npm_config_(.*)$/.exec(variable)?.[1]
    // npm 11 completes what begins one of its own names: --update is taken for --update-notifier.
    if (found === undefined || !found.startsWith(key) || value === '') return []
    const isExact = found === key
    if (!isExact && Object.hasOwn(options, found.replaceAll('_', '-'))) return []
    if (name !== 'dry-run' && isConfigured(found, env)) return []
    return [{ name, isFlag, value, isExact }]
  })
}

/** Whether npm's files or the user's environment give a setting the value that it has: then it was not typed. */
function isConfigured(key: string, env: Environment): boolean {
  const project = join(env.npm_config_local_prefix ?? '.', '.npmrc')
  const files = [project, env.npm_config_userconfig, env.npm_config_globalconfig]
  const line = new RegExp(`^\\s*${key.replaceAll('_', '[-_]')}\\s*=\\s*(.*?)\\s*$`, 'gm')
  const written = files.flatMap((file) => {
    if (file === undefined || !existsSync(file)) return []
    return [...readFileSync(file, 'utf8').matchAll(line)].map(([, value = '']) => value)
  })
  const exported = env[`NPM_CONFIG_${key.toUpperCase()}`]
  return [...written, exported].includes(env[`npm_config_${key}`])
}

/** The command with its options where they belong; `…` is a value of which it is not known whose it is. */
function corrected(typed: string, taken: readonly Taken[], args: readonly string[]): string {
  const lacking = taken.filter(({ isFlag, value }) => !isFlag && value === 'true')
  const isKnown = lacking.length === 1 && args.length === 1
  const options = taken.map((option) => {
    if (option.isFlag) return `--${option.name}`
    if (!lacking.includes(option)) return `--${option.name} ${option.value.split('\n\n').join(` --${option.name} `)}`
    return `--${option.name} ${isKnown ? args[0] : '…'}`
  })
  return [typed, ...(lacking.length > 0 ? [] : args), ...options].join(' ')
}
