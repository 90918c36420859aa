import { readFileSync, statfsSync } from 'node:fs'
import { createServer } from 'node:net'
import { UsageError } from '#cli/errors.ts'
import type { Engine } from '#system/container-engine.ts'

/** What the cluster needs: the sum of its requests is 2.5 GiB, and images with their unpacked layers take about 12 GB. */
const least = { cores: 2, memoryGiB: 6, diskGB: 15, inotifyInstances: 128 }

/** The requirements that the machine does not meet, one sentence each, with what to do about it; none when the cluster will run. */
export function missingRequirements(engine: Engine): string[] {
  const found: string[] = []
  const gibibytes = engine.memoryBytes / 2 ** 30
  if (engine.cores < least.cores)
    found.push(`${engine.program} has ${engine.cores} core; ${least.cores} are needed. Give its virtual machine more.`)
  if (gibibytes < least.memoryGiB)
    found.push(
      `${engine.program} has ${gibibytes.toFixed(1)} GiB of memory; ${least.memoryGiB} GiB are needed. Give its virtual machine more, or close what uses it.`,
    )
  const free = freeBytes(engine.folder)
  if (free !== undefined && free < least.diskGB * 1e9)
    found.push(
      `${engine.folder} has ${(free / 1e9).toFixed(1)} GB free; ${least.diskGB} GB are needed. \`${engine.program} system prune\` removes what no container uses.`,
    )
  const instances = readNumber('/proc/sys/fs/inotify/max_user_instances')
  if (instances !== undefined && instances < least.inotifyInstances)
    found.push(
      `fs.inotify.max_user_instances is ${instances}, too few for a node's kubelet and pods ("too many open files"). sudo sysctl fs.inotify.max_user_instances=512`,
    )
  return found
}

/** Bytes free where the engine keeps images; undefined when this machine has no such folder. */
export function freeBytes(folder: string | undefined): number | undefined {
  try {
    const { bavail, bsize } = statfsSync(folder ?? '')
    return bavail * bsize
  } catch {
    return undefined // Docker Desktop and podman machine keep it inside their virtual machine
  }
}

/** @throws UsageError when something listens on the port of 127.0.0.1 */
export async function assertPortFree(port: number, option: string): Promise<void> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.on('error', (error) =>
      reject(
        new UsageError(
          `port ${port} of 127.0.0.1 cannot be used (${error.message}); name another: ${option} ${port + 10}`,
        ),
      ),
    )
    server.listen(port, '127.0.0.1', () => server.close(() => resolve()))
  })
}

function readNumber(path: string): number | undefined {
  try {
    return Number(readFileSync(path, 'utf8'))
  } catch {
    return undefined // not Linux
  }
}
