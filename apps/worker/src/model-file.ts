import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { createModel, deleteModel, uploadBlob } from './ollama.ts'

/**
 * Creates the model `name` in Ollama from a GGUF file. The manifest of a model from an uploaded file has the path of the blob on that
 * server, so its digest would differ from server to server. The manifest of a model from a model has the name of that model: so it is
 * created in two steps, and the digest depends only on the file, `name` and the version of Ollama.
 */
export async function createModelFromFile(url: string, name: string, file: string, signal: AbortSignal): Promise<void> {
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
