import { createConnection, createServer, type Socket } from 'node:net'
import { withAddress } from './tcp-proxy.ts'

export type HalfOpenProxy = {
  /** The target's URL with the address of the proxy. */
  url: string
  /** Drops all bytes in both directions while every socket stays open, as a network that loses packets does. */
  blackHole(): void
  /** Forwards bytes again: new connections work; those that were black-holed are closed. */
  restore(): void
  close(): Promise<void>
}

/** A TCP proxy to the host and port of a URL, on a free local port, for failures that a closed socket cannot simulate. */
export async function startHalfOpenProxy(target: string): Promise<HalfOpenProxy> {
  const { hostname: host, port } = new URL(target)
  const sockets = new Set<Socket>()
  let swallowing = false

  const server = createServer((client) => {
    const upstream = createConnection({ host, port: Number(port) })
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from)
      from.on('data', (chunk) => {
        if (!swallowing) to.write(chunk)
      })
      from.on('error', () => undefined)
      from.on('close', () => {
        sockets.delete(from)
        if (!swallowing) to.destroy()
      })
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))

  return {
    url: withAddress(target, (server.address() as { port: number }).port),
    blackHole() {
      swallowing = true
    },
    restore() {
      for (const socket of sockets) socket.destroy()
      swallowing = false
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
