import { destination, type Logger, type LoggerOptions, pino } from 'pino'

export type Log = Logger

/**
 * A structured logger: JSON lines on stdout with `service`, `level` by name and an ISO time.
 * Log request ids and sizes, never prompts, results or keys; the paths below are a second line of defence.
 */
export function createLog(service: string, level = 'info'): Log {
  const options: LoggerOptions = {
    level,
    base: { service },
    messageKey: 'message',
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: ['prompt', 'messages', 'text', 'authorization', 'password'],
  }
  // Lines that come while one is being written go out together; what is left is written when the process exits.
  return pino(options, destination({ sync: false }))
}
