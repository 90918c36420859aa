import { closeSync, openSync, readSync, statSync } from 'node:fs'
import { UsageError } from './errors.ts'
import { typedPath } from './paths.ts'

/** The most that is read: some 20,000 objects, more than one cluster's worth. */
const maxBytes = 32 * 2 ** 20

/**
 * Reads a file, or standard input for `-`.
 * @throws UsageError when there is no such file, it is a folder, or it is larger than 32 MiB
 */
export function readInput(file: string): string {
  const path = typedPath(file)
  if (file !== '-') {
    const stat = statSync(path, { throwIfNoEntry: false })
    if (stat === undefined) throw new UsageError(`no such file: ${file}`)
    if (stat.isDirectory()) throw new UsageError(`${file} is a folder; expected a file`)
    if (stat.size > maxBytes) throw tooLarge(file, stat.size)
  }
  const descriptor = file === '-' ? 0 : openSync(path, 'r')
  try {
    return readAll(descriptor, file)
  } finally {
    if (file !== '-') closeSync(descriptor)
  }
}

function readAll(descriptor: number, file: string): string {
  const chunks: Buffer[] = []
  let total = 0
  for (;;) {
    const chunk = Buffer.alloc(65536)
    const length = readChunk(descriptor, chunk)
    if (length === 0) return Buffer.concat(chunks).toString()
    total += length
    if (total > maxBytes) throw tooLarge(file, total)
    chunks.push(chunk.subarray(0, length))
  }
}

/** Standard input may be a pipe that has nothing yet, or one that is closed. */
function readChunk(descriptor: number, chunk: Buffer): number {
  for (;;) {
    try {
      return readSync(descriptor, chunk)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EOF') return 0
      if (code !== 'EAGAIN') throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10)
    }
  }
}

function tooLarge(file: string, bytes: number): UsageError {
  const name = file === '-' ? 'standard input' : file
  return new UsageError(
    `${name} holds ${(bytes / 2 ** 20).toFixed(0)} MiB or more; at most ${maxBytes / 2 ** 20} MiB is read. Split it, or check the kustomization it came from.`,
  )
}
