import { spawn } from 'node:child_process'
import { createServer } from 'node:net'
import OpenAI from 'openai'
import { afterEach, describe, expect, inject, it } from 'vitest'
import { freePort } from '../support/containers.ts'
import { waitUntil } from '../support/gateway.ts'

/** `npm run dev` in its own process group, which a Ctrl-C reaches in a terminal. */
describe.skipIf(inject('services') === null)('npm run dev', { timeout: 300_000 }, () => {
  let stopAll: () => void = () => undefined
  afterEach(() => stopAll())

  async function startDev(port: number, environment: Record<string, string> = {}) {
    const command = ['--import', 'tsx', 'scripts/commands/dev.ts', '--port', String(port)]
    const child = spawn(process.execPath, command, {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...environment },
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        output += chunk
      })
    }
    const ended = new Promise<number | null>((resolve) => child.on('exit', resolve))
    const interrupt = () => process.kill(-(child.pid ?? 0), 'SIGINT')
    stopAll = () => {
      if (child.exitCode === null) interrupt()
    }
    const prints = (text: string) => waitUntil(() => output.includes(text), `dev prints «${text}»\n${output}`, 200)
    return { prints, interrupt, ended, output: () => output }
  }

  it('starts everything, serves the printed addresses, and leaves nothing after Ctrl-C', async () => {
    const port = await freePort()
    const dev = await startDev(port)
    await dev.prints('Ready.')
    const key = /inf_[\w-]{43}/.exec(dev.output())?.[0] ?? 'none'
    const client = new OpenAI({ baseURL: `http://127.0.0.1:${port}/v1`, apiKey: key, maxRetries: 0 })
    const messages = [{ role: 'user' as const, content: 'What can I cook?' }]
    const { choices } = await client.chat.completions.create({ model: 'tiny-chat:latest', messages })
    expect(choices[0]?.message.content).toContain('olive oil')
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toContain('<html')
    const found = await fetch(`http://127.0.0.1:${port}/api/recipes?ingredients=tomato,basil`)
    expect(((await found.json()) as { recipes: object[] }).recipes.length).toBeGreaterThan(0)

    dev.interrupt()
    expect(await dev.ended).toBe(0)
    expect(dev.output()).toContain('nothing is left running')
    await expect(fetch(`http://127.0.0.1:${port}/livez`)).rejects.toThrow()
  })

  it('stops during its start', async () => {
    const dev = await startDev(await freePort())
    await dev.prints('Starting RabbitMQ')
    dev.interrupt()
    expect(await dev.ended).toBe(0)
    expect(dev.output()).toContain('nothing is left running')
  })

  it('reports that no container engine answers', async () => {
    const dev = await startDev(await freePort(), { PATH: '/nonexistent' })
    expect(await dev.ended).toBe(2)
    expect(dev.output()).toContain('no container engine answers; install and start Docker or Podman')
  })

  it('reports an engine that it does not know', async () => {
    const dev = await startDev(await freePort(), { CONTAINER_ENGINE: '/nonexistent/docker' })
    expect(await dev.ended).toBe(2)
    expect(dev.output()).toContain('the container engine is set to "/nonexistent/docker"; expected docker or podman')
  })

  it('reports a port that is in use', async () => {
    const taken = createServer()
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
    const { port } = taken.address() as { port: number }
    const dev = await startDev(port)
    expect(await dev.ended).toBe(2)
    expect(dev.output()).toContain(`port ${port} is in use`)
    taken.close()
  })
})
