import type { Log } from './log.ts'

export type ShutdownStep = [name: string, run: () => unknown]

/**
 * On SIGTERM or SIGINT runs the steps in order and exits with 0; a step that fails is logged and the next one runs.
 * Exits with 1 when `deadlineSeconds` pass, on a second signal, or on an uncaught error (which skips the steps: state is unknown).
 */
export function shutdownOnSignal(log: Log, deadlineSeconds: number, steps: ShutdownStep[]): void {
  let stopping = false

  const stop = async (signal: string) => {
    if (stopping) {
      log.warn({ signal }, 'second signal: exiting immediately')
      process.exit(1)
    }
    stopping = true
    log.info({ signal, deadlineSeconds }, 'shutting down')
    setTimeout(() => {
      log.error({ deadlineSeconds }, 'shutdown timed out: exiting with unfinished work')
      process.exit(1)
    }, deadlineSeconds * 1000).unref()
    for (const [name, run] of steps) {
      try {
        await run()
        log.info({ step: name }, 'shutdown step done')
      } catch (error) {
        log.error({ step: name, err: error }, 'shutdown step failed')
      }
    }
    process.exit(0)
  }

  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
  const crash = (error: unknown) => {
    log.fatal({ err: error }, 'uncaught error: exiting')
    process.exit(1)
  }
  process.on('uncaughtException', crash)
  process.on('unhandledRejection', crash)
}
