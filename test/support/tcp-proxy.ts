import { createConnection, createServer, type Server, type Socket } from 'node:net'

export type TcpProxy = {
  /** The target's URL with the address of the proxy. */
  url: string
  /** Refuses new connections and closes the existing ones, like a killed process. */
  stop(): Promise<void>
  /** Listens again, on the same port. */
  start(): Promise<void>
}

/** A TCP proxy to the host and port of a URL that can be stopped and started, for an outage that must not affect other tests. */
export async function startTcpProxy(target: string): Promise<TcpProxy> {
  const { hostname: host, port } = new URL(target)
  const sockets = new Set<Socket>()
  let server: Server | undefined

  function relay(client: Socket): void {
    const upstream = createConnection({ host, port: Number(port) })
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => sockets.delete(socket))
    }
    client.on('close', () => upstream.destroy())
    upstream.on('close', () => client.destroy())
    client.pipe(upstream).pipe(client)
  }

  let ownPort = 0
  async function start(): Promise<void> {
    const listening = createServer(relay)
    await new Promise<void>((resolve) => listening.listen(ownPort, '127.0.0.1', resolve))
    ownPort = (listening.address() as { port: number }).port
    server = listening
  }

  async function stop(): Promise<void> {
    const stopping = server
    server = undefined
    for (const socket of sockets) socket.destroy()
    if (stopping) await new Promise((resolve) => stopping.close(resolve))
  }

  await start()
  return { url: withAddress(target, ownPort), start, stop }
}

/** The same URL with a port of this machine. */
export function withAddress(url: string, port: number): string {
  const changed = new URL(url)
  changed.host = `127.0.0.1:${port}`
  return changed.href
}
