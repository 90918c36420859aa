import { createHash } from 'node:crypto'

/** Gives a GGUF file to a running Ollama under a name, as `ollama create` does. */
export async function loadTinyModel(url: string, name: string, gguf: Uint8Array): Promise<void> {
  const digest = `sha256:${createHash('sha256').update(gguf).digest('hex')}`
  await expectOk(await fetch(`${url}/api/blobs/${digest}`, { method: 'POST', body: Uint8Array.from(gguf) }))
  const body = JSON.stringify({ model: name, files: { [`${name}.gguf`]: digest }, stream: false })
  await expectOk(await fetch(`${url}/api/create`, { method: 'POST', body }))
}

async function expectOk(response: Response): Promise<void> {
  if (!response.ok) throw new Error(`${response.url} answered ${response.status}: ${await response.text()}`)
}
