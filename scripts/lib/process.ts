import { spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'

export interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs a program to its end and collects what it prints. Rejects only when it cannot be started. */
export function run(program: string, args: readonly string[], input?: string): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'] })
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
    // A program that stops reading early says why on stderr.
    child.stdin?.on('error', () => {})
    child.stdin?.end(input)
  })
}

/** Maps with at most as many tasks at once as there are cores; results keep the order of the input. */
export async function mapParallel<T, R>(inputs: readonly T[], task: (input: T) => Promise<R>): Promise<R[]> {
  const results: R[] = new Array(inputs.length)
  let next = 0
  const worker = async () => {
    while (next < inputs.length) {
      const index = next++
      results[index] = await task(inputs[index] as T)
    }
  }
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), inputs.length) }, worker))
  return results
}
