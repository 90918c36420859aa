import { type ParseArgsConfig, parseArgs } from 'node:util'
import { exit, UsageError } from './errors.ts'
import { flagsTakenByNpm, hintForValue } from './npm-options.ts'

/** An option as node:util declares it; `choices` are the values that it takes. */
type Option = NonNullable<ParseArgsConfig['options']>[string] & { readonly choices?: readonly string[] }
type Options = Readonly<Record<string, Option>>

/** What else a command declares. */
interface Declaration {
  /** Whether it takes arguments that are not options. */
  readonly positionals?: boolean
  /** What exit code 0 means. */
  readonly ok?: string
  /** What exit code 1 means, where the command has it. */
  readonly findings?: string
}

/** Ends a command that was asked for help. */
class HelpRequest extends Error {}

/**
 * Reads the arguments of a command; `--help` and `-h` end it with its usage text and exit codes.
 * @throws UsageError on an unknown option, value or argument, and on options that npm took for itself
 */
export function parseCommandLine<const T extends Options>(
  usage: string,
  options: T,
  declaration: Declaration = {},
  args = process.argv.slice(2),
) {
  if (args.includes('--help') || args.includes('-h')) throw new HelpRequest(`${usage}\n\n${exitCodes(declaration)}`)
  const flags = flagsTakenByNpm(options, args)
  const parsed = parse(usage, options, [...flags, ...args])
  for (const value of parsed.positionals) assertPositional(value, usage, options, declaration)
  for (const [name, { choices }] of Object.entries(options)) {
    const value = parsed.values[name as keyof typeof parsed.values]
    if (choices !== undefined && typeof value === 'string' && !choices.includes(value))
      throw new UsageError(`unknown ${name} "${value}"; expected one of ${choices.join(', ')}`)
  }
  return parsed
}

function parse<T extends Options>(usage: string, options: T, args: string[]) {
  try {
    return parseArgs({ args, options, allowPositionals: true, strict: true })
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n\n${usage}`)
  }
}

function assertPositional(value: string, usage: string, options: Options, { positionals }: Declaration): void {
  const owner = Object.keys(options).find((name) => options[name]?.choices?.includes(value))
  if (owner !== undefined) throw new UsageError(`unexpected "${value}"${hintForValue(owner, value)}`)
  if (positionals) return
  const [option] = Object.keys(options).filter((name) => options[name]?.type === 'string')
  const hint = option === undefined ? '' : hintForValue(option, value)
  throw new UsageError(`unexpected "${value}"${hint}\n\n${usage}`)
}

function exitCodes({ ok = 'done', findings }: Declaration): string {
  const meanings = [`${exit.ok} ${ok}`]
  if (findings !== undefined) meanings.push(`${exit.findings} ${findings}`)
  return `Exit codes: ${[...meanings, `${exit.usage} usage or configuration error`, `${exit.internal} internal error`].join(', ')}`
}

/** Runs a command and turns its outcome into an exit code: what `main` resolves to, 2 for a UsageError, 3 for an internal error. */
export async function runCommand(main: () => Promise<number>): Promise<void> {
  // A reader that leaves early (`npm run render -- dev | head`) is not an error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(exit.ok)
    throw error
  })
  try {
    process.exitCode = await main()
  } catch (error) {
    process.exitCode = report(error)
  }
}

/** As parseCommandLine, for a program without `runCommand`: prints the help or what is wrong, and ends it. */
export function parseOrExit<const T extends Options>(usage: string, options: T, declaration?: Declaration) {
  try {
    return parseCommandLine(usage, options, declaration)
  } catch (error) {
    process.exit(report(error))
  }
}

/** Prints why a command ended, and gives its exit code. */
function report(error: unknown): number {
  if (error instanceof HelpRequest) {
    process.stdout.write(`${error.message}\n`)
    return exit.ok
  }
  if (error instanceof UsageError) {
    process.stderr.write(`error: ${error.message}\n`)
    return exit.usage
  }
  process.stderr.write(
    'Internal error: this is a bug in the tool, not in your manifests. Please report the lines below.\n',
  )
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
  return exit.internal
}
