import { createConnection, createServer, type Server, type Socket } from 'node:net'

export type TcpProxy = {
  port: number
  /** Refuses new connections and breaks those there are, as a process that was killed. */
  stop(): Promise<void>
  /** Listens again, on the same port. */
  start(): Promise<void>
}

/** A TCP proxy to `host:port` that can go away and come back, for an outage that other tests must not feel. */
export async function startTcpProxy(host: string, port: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>()
  let server: Server | undefined

  function relay(client: Socket): void {
    const upstream = createConnection({ host, port })
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => sockets.delete(socket))
    }
    client.on('close', () => upstream.destroy())
    upstream.on('close', () => client.destroy())
    client.pipe(upstream).pipe(client)
  }

  const proxy = {
    port: 0,
    async start() {
      const listening = createServer(relay)
      await new Promise<void>((resolve) => listening.listen(proxy.port, '127.0.0.1', resolve))
      proxy.port = (listening.address() as { port: number }).port
      server = listening
    },
    async stop() {
      const stopping = server
      server = undefined
      for (const socket of sockets) socket.destroy()
      if (stopping) await new Promise((resolve) => stopping.close(resolve))
    },
  }
  await proxy.start()
  return proxy
}
