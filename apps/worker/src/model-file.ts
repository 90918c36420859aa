import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { createModel, deleteModel, uploadBlob } from './ollama.ts'

/**
 * Makes the model `name` in Ollama from a GGUF file. A model made from an uploaded file names the path of the blob on that server in
 * its manifest, and so its digest would differ from server to server. A model made from a model names that model: so it is made
 * twice, and the digest depends on the file, `name` and the version of Ollama alone.
 */
export async function makeModelFromFile(url: string, name: string, file: string, signal: AbortSignal): Promise<void> {
  const digest = `sha256:${await sha256(file)}`
  const staging = `${modelFamily(name)}:file`
  await uploadBlob(url, digest, createReadStream(file), signal)
  await createModel(url, staging, { files: { [`${modelFamily(name)}.gguf`]: digest } }, signal)
  await createModel(url, name, { from: staging }, signal)
  await deleteModel(url, staging, signal)
}

/** `tiny-chat` of `tiny-chat:latest`. */
export function modelFamily(name: string): string {
  return name.split(':')[0] ?? name
}

async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(file), hash)
  return hash.digest('hex')
}
