import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * What happens to the answers of /api/chat. `errorAfter`: after so many lines comes a line `{"error": …}`, as Ollama does it.
 * `cutAfter`: the connection breaks. `endAfter`: the stream ends cleanly but too early. `delayMs`: before each line.
 */
export type ChatFault = { delayMs?: number; errorAfter?: number; cutAfter?: number; endAfter?: number }

export type OllamaProxy = {
  url: string
  /** Chat requests seen. */
  readonly chats: number
  /** Chat requests that the client aborted before the answer was complete. */
  readonly aborted: number
  fault: ChatFault
  /** Stops listening and closes all connections, like a killed process; start() listens again on the same port. */
  stop(): Promise<void>
  start(): Promise<void>
}

/** An HTTP proxy in front of a real Ollama that injects failures that a healthy Ollama does not produce on demand. */
export async function startOllamaProxy(target: string): Promise<OllamaProxy> {
  let port = 0
  let server = createServer()
  const state = { chats: 0, aborted: 0 }

  const proxy: OllamaProxy = {
    get url() {
      return `http://127.0.0.1:${port}`
    },
    get chats() {
      return state.chats
    },
    get aborted() {
      return state.aborted
    },
    fault: {},
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
    async start() {
      server = createServer(forward)
      await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
      port = (server.address() as { port: number }).port
    },
  }

  function forward(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const isChat = incoming.url === '/api/chat'
    if (isChat) state.chats++
    const { fault } = proxy
    const upstream = request(new URL(incoming.url ?? '/', target), {
      method: incoming.method,
      headers: incoming.headers,
    })
    upstream.on('error', () => outgoing.destroy())
    outgoing.on('close', () => {
      if (isChat && !outgoing.writableFinished) state.aborted++
      upstream.destroy()
    })
    upstream.on('response', (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
      // A response that is cut off is cut off here too.
      if (isChat) relayLines(answer, outgoing, fault).catch(() => outgoing.destroy())
      else answer.pipe(outgoing)
    })
    incoming.pipe(upstream)
  }

  await proxy.start()
  return proxy
}

async function relayLines(answer: IncomingMessage, outgoing: ServerResponse, fault: ChatFault): Promise<void> {
  let count = 0
  const lines = createInterface({ input: answer })
  lines.on('error', () => outgoing.destroy())
  for await (const line of lines) {
    if (outgoing.destroyed) return
    if (count === fault.cutAfter) return void outgoing.destroy()
    if (count === fault.endAfter) return void outgoing.end()
    if (count === fault.errorAfter)
      return void outgoing.end('{"error":"an error was encountered while running the model"}\n')
    if (fault.delayMs) await sleep(fault.delayMs)
    // Flushed before the next line: a response that is cut off must have begun to arrive.
    await new Promise((resolve) => outgoing.write(`${line}\n`, resolve))
    count++
  }
  outgoing.end()
}
