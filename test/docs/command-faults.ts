import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '#cli/paths.ts'
import { run } from '#system/process.ts'
import { findInstalled } from '#system/tools.ts'
import packageJson from '../../package.json' with { type: 'json' }
// @ts-expect-error plain JavaScript, since run.mjs reads it before anything is built
import { commandsIn } from '../../scripts/cli/commands.mjs'

const scripts: Readonly<Record<string, string>> = packageJson.scripts
const commands: readonly string[] = commandsIn(root)

/** An argument that is a path of the repository. */
const ownPath = /^(?:--\w[\w-]*=)?((?:apps|argocd|base|components|docs|overlays|schemas|scripts|test)\/[\w./-]+)$/

/** Programs that the pages use and that no test runs. */
const foreign = ['argocd', 'docker', 'git', 'helm']

/** A real kubectl, which validates commands offline; undefined where none of the pinned version is installed. */
export const kubectl = await findInstalled('kubectl')

/**
 * What is wrong with a command; undefined when it can be typed as it is.
 * @param place a sentence may also show what npm does with an option before `--`, and may name a command by `<…>`
 */
export async function commandFault(
  command: readonly string[],
  place: 'in a block' | 'within a text' = 'in a block',
): Promise<string | undefined> {
  const [program = '', ...args] = command
  // With npx the command is typed in another repository, whose paths these are.
  if (program === 'npx' && args[0] === 'inference-platform') return ownFault(args.slice(1))
  const missing = args.map((word) => ownPath.exec(word)?.[1]).find((path) => path && !existsSync(join(root, path)))
  if (missing !== undefined) return `there is no ${missing}`
  if (program === 'npm') return npmFault(args, place === 'in a block')
  if (program === 'npx') return binaryFault(args[0])
  if (program === 'node') return args[0] === 'scripts/run.mjs' ? ownFault(args.slice(1)) : undefined
  if (program === 'kubectl') return kubectlFault(args)
  return foreign.includes(program) ? undefined : `unknown program ${program}`
}

async function npmFault(args: readonly string[], isTyped: boolean): Promise<string | undefined> {
  const [verb = '', script = '', ...rest] = args.filter((word) => word !== '--silent')
  if (['ci', 'install', 'pack', 'test'].includes(verb)) return undefined
  if (verb !== 'run') return `unknown npm command ${verb}`
  if (!isTyped && script.startsWith('<')) return undefined
  const line = scripts[script]
  if (line === undefined) return `there is no npm script ${script}`
  const early = rest.slice(0, rest.includes('--') ? rest.indexOf('--') : undefined).find(isOption)
  if (isTyped && early !== undefined) return `npm keeps ${early} for itself; put -- before it`
  const own = /^node scripts\/run\.mjs (\S+)$/.exec(line)?.[1]
  return own === undefined ? undefined : ownFault([own, ...rest])
}

/** What is wrong with a command of the project: its name, or an option that its help does not list. */
async function ownFault([command = '', ...args]: readonly string[]): Promise<string | undefined> {
  if (command === '--help') return undefined
  if (!commands.includes(command)) return `there is no command ${command}`
  const options = args.filter(isOption).map((word) => word.replace(/=.*/, ''))
  if (options.length === 0) return undefined
  const help = await helpOf(command)
  const unknown = options.find((option) => !help.has(option))
  return unknown === undefined ? undefined : `${command} has no option ${unknown}`
}

const isOption = (word: string) => /^--?\w/.test(word)

const helps = new Map<string, Promise<ReadonlySet<string>>>()

/** The options that the help of a command lists, and those that every command has. */
function helpOf(command: string): Promise<ReadonlySet<string>> {
  const known = helps.get(command)
  if (known !== undefined) return known
  const help = run(process.execPath, [join(root, 'scripts/run.mjs'), command, '--help']).then(
    ({ stdout }) => new Set([...(stdout.match(/--?\w[\w-]*/g) ?? []), '--help', '--root']),
  )
  helps.set(command, help)
  return help
}

function binaryFault(name = ''): string | undefined {
  return existsSync(join(root, 'node_modules/.bin', name)) ? undefined : `no package of the project has ${name}`
}

/** kubectl reads its whole command line before it prints help, so it finds an unknown subcommand or option without a cluster. */
async function kubectlFault(args: readonly string[]): Promise<string | undefined> {
  if (kubectl === undefined) return undefined
  const end = args.includes('--') ? args.indexOf('--') : args.length
  const { code, stderr } = await run(kubectl, [...args.slice(0, end), '--help'])
  return code === 0 ? undefined : stderr.trim()
}
