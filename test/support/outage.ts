import { setTimeout as sleep } from 'node:timers/promises'
import { getContainerRuntimeClient, type StartedTestContainer } from 'testcontainers'

/** Kills the process in a container, and starts it again after `seconds` with the disk it had. Start containers with a fixed port. */
export async function outage(container: StartedTestContainer, seconds: number): Promise<void> {
  const runtime = await getContainerRuntimeClient()
  const target = runtime.container.getById(container.getId())
  await target.kill({ signal: 'SIGKILL' })
  await target.wait()
  await sleep(seconds * 1000)
  await target.start()
}
