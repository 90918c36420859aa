import { connect } from 'node:net'

/** Sends bytes as they are and returns the status codes of what comes back until the server closes or `waitMs` of silence. */
export function sendRaw(
  port: number,
  parts: (string | Buffer)[],
  options: { waitMs: number; gapMs?: number },
): Promise<number[]> {
  return new Promise((resolve) => {
    let received = ''
    const socket = connect({ port, host: '127.0.0.1' })
    socket.setTimeout(options.waitMs, () => socket.destroy())
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1')
    })
    // A reset is a fair answer to broken bytes.
    socket.on('error', () => undefined)
    socket.on('close', () => resolve([...received.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status))))
    const sendNext = (index: number) => {
      const part = parts[index]
      if (part === undefined || !socket.writable) return
      socket.write(part)
      if (options.gapMs) setTimeout(sendNext, options.gapMs, index + 1)
      else sendNext(index + 1)
    }
    socket.on('connect', () => sendNext(0))
  })
}
