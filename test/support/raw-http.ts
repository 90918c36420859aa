import { connect } from 'node:net'

/** Sends bytes unchanged and returns the status codes of the responses until the server closes or is silent for `waitMs`. */
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
    // A reset is a valid response to malformed bytes.
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
