import { type ProcessOutput, type ProcessPromise, $ as zx } from 'zx/core'

/**
 * zx for the processes of commands: what is put into the template is quoted, an array as several words. Prints nothing, does not reject for an
 * exit code (look at `ok`), and gets Ctrl-C together with its caller, since both are in the terminal's process group.
 *
 * One program per template: `exec` leaves no shell between us and it, so that a signal reaches the program itself. The shell is sh, because bash
 * reads ~/.bashrc, and with it another PATH, where its standard input is a socket, as Node's pipes are.
 */
export const $ = zx({
  quiet: true,
  nothrow: true,
  shell: '/bin/sh',
  prefix: 'exec ',
  quote,
  // Nothing to read: a program that asks for input ends instead of waiting.
  stdio: ['ignore', 'pipe', 'pipe'],
})

/** `$` with a text on the program's standard input. */
export function withInput(input: string, env: NodeJS.ProcessEnv = process.env) {
  return (pieces: TemplateStringsArray, ...words: unknown[]): ProcessPromise => {
    const started = $({ input, env, stdio: 'pipe' })(pieces, ...words)
    // A program that stops reading early prints why on stderr.
    started.stdin.on('error', () => {})
    return started
  }
}

/** For any POSIX shell; zx's own quotes are bash's. */
function quote(word: string): string {
  return /^[\w./:=@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}

/** Why a program failed: what it printed, or how it ended. */
export function complaint({ exitCode, signal, stdout, stderr }: ProcessOutput): string {
  const [, missing] = /exec: (.+): not found/.exec(stderr) ?? []
  if (exitCode === 127 && missing !== undefined) return `no program named ${missing} on PATH`
  return stderr.trim() || stdout.trim() || (signal === null ? `exit code ${exitCode}` : `ended by ${signal}`)
}
