import { spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'

export interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

// kustomize and kubeconform are Go and end within a second: collecting garbage less often saves them a fifth of their processor time and
// costs some 10 MB (bench/check.ts).
const env = { GOGC: '400', ...process.env }

/**
 * Runs a program to its end and collects what it prints. Rejects only when it cannot be started. `extra` adds to the environment; after `timeout`
 * milliseconds the program is ended.
 *
 * For the commands that run at every save (check, diff, guard). The others use zx (shell.ts), which takes 50 ms and more to load, and a shell per
 * program.
 */
export function run(
  program: string,
  args: readonly string[],
  input?: string,
  extra?: Readonly<Record<string, string>>,
  timeout?: number,
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      env: { ...env, ...extra },
      timeout,
      stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    })
    const stdout: Buffer[] = []
    const stderr: Buffer[] = []
    child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk))
    child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk))
    child.on('error', reject)
    child.on('close', (code, signal) => {
      const ended = signal === null ? '' : `\n${program} was ended by ${signal}`
      resolve({
        code: code ?? 1,
        stdout: Buffer.concat(stdout).toString(),
        stderr: Buffer.concat(stderr).toString() + ended,
      })
    })
    // A program that stops reading early prints why on stderr.
    child.stdin?.on('error', () => {})
    child.stdin?.end(input)
  })
}

/** Starts a task for each input, at most one more at the same time than there are cores, so that none idles between two, and gives their promises in the order of the inputs. */
export function eachParallel<T, R>(inputs: readonly T[], task: (input: T) => Promise<R>): Promise<R>[] {
  let free = availableParallelism() + 1
  const waiting: (() => void)[] = []
  return inputs.map((input) => {
    const promise = (async () => {
      if (free > 0) free--
      else await new Promise<void>((resolve) => waiting.push(resolve))
      try {
        return await task(input)
      } finally {
        // The place goes to the next in line.
        const next = waiting.shift()
        if (next === undefined) free++
        else next()
      }
    })()
    // A task may fail before anyone awaits it; whoever does still gets the error.
    promise.catch(() => {})
    return promise
  })
}
