import { createConnection, createServer, type Server, type Socket } from 'node:net'

export type TcpProxy = {
  /** The target's URL with the address of the proxy. */
  url: string
  /** Refuses new connections and breaks those there are, as a process that was killed. */
  stop(): Promise<void>
  /** Listens again, on the same port. */
  start(): Promise<void>
}

/** A TCP proxy to the host and port of a URL that can go away and come back, for an outage that other tests must not feel. */
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

/** A URL that leads to a port of this machine and is otherwise the same. */
export function withAddress(url: string, port: number): string {
  const changed = new URL(url)
  changed.host = `127.0.0.1:${port}`
  return changed.href
}
