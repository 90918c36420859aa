import { type ParseArgsConfig, parseArgs } from 'node:util'
import { exit, UsageError } from './errors.ts'

type Options = NonNullable<ParseArgsConfig['options']>

/** Ends a command that was asked for help. */
class HelpRequest extends Error {}

/**
 * Reads the arguments of a command; `--help` and `-h` end it with its usage text.
 * @throws UsageError on an unknown option, with the command's usage text
 */
export function parseCommandLine<T extends Options>(usage: string, options: T, args = process.argv.slice(2)) {
  if (args.includes('--help') || args.includes('-h')) throw new HelpRequest(usage)
  try {
    return parseArgs({ args, options, allowPositionals: true, strict: true })
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n\n${usage}`)
  }
}

/** Runs a command and turns its outcome into an exit code: what `main` resolves to, 2 for a UsageError, 3 for a fault of ours. */
export async function runCommand(main: () => Promise<number>): Promise<void> {
  // A reader that leaves early (`npm run render -- dev | head`) is no fault.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(exit.right)
    throw error
  })
  try {
    process.exitCode = await main()
  } catch (error) {
    if (error instanceof HelpRequest) {
      process.stdout.write(`${error.message}\n`)
      return
    }
    if (error instanceof UsageError) {
      process.stderr.write(`error: ${error.message}\n`)
      process.exitCode = exit.usage
      return
    }
    process.stderr.write(`This is a fault of the tool, not of your manifests. Please report it with the lines below.\n`)
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
    process.exitCode = exit.fault
  }
}
