import { parseModel } from '@inference/common/model.ts'

/** Ollama does not answer, or its answer is not valid; temporary or for an operator to fix, never caused by the caller. */
export class EmbeddingError extends Error {
  override readonly name = 'EmbeddingError'
}

/**
 * Some embedding models were trained with a prefix that distinguishes queries from documents and rank worse without it.
 * Source: the model card of nomic-embed-text-v1.5, «Task instruction prefixes».
 */
const prefixes: Record<string, { query: string; document: string }> = {
  'nomic-embed-text': { query: 'search_query: ', document: 'search_document: ' },
}

/** Prepends the prefix of the model, if any, to a text. `model` is a name with or without tag and digest. */
export function withPrefix(model: string, kind: 'query' | 'document', text: string): string {
  const family = parseModel(model).name.split(':')[0]?.split('/').at(-1) ?? ''
  return `${prefixes[family]?.[kind] ?? ''}${text}`
}

/** Embeds texts through Ollama, one unit vector per text. Throws EmbeddingError. */
export async function embed(url: string, model: string, texts: string[], signal: AbortSignal): Promise<number[][]> {
  const { name } = parseModel(model)
  const answer = (await request(`${url}/api/embed`, signal, { model: name, input: texts, truncate: true })) as {
    embeddings?: number[][]
  }
  const vectors = answer.embeddings ?? []
  if (vectors.length !== texts.length) {
    throw new EmbeddingError(
      `Ollama returned ${vectors.length} vectors for ${texts.length} texts; is ${name} an embedding model?`,
    )
  }
  return vectors
}

/** The digest (64 hex digits) of the model that Ollama has under the name. Throws EmbeddingError, also when there is none. */
export async function listedDigest(url: string, model: string, signal: AbortSignal): Promise<string> {
  const { name } = parseModel(model)
  const { models = [] } = (await request(`${url}/api/tags`, signal)) as { models?: { name: string; digest: string }[] }
  const listed = models.find((one) => one.name === name || one.name === `${name}:latest`)
  if (!listed) {
    const others = models.map((one) => one.name).join(', ') || 'none'
    throw new EmbeddingError(`Ollama at ${url} has no model ${name} (it has: ${others}); run the Job pull-models`)
  }
  return listed.digest.replace(/^sha256:/, '')
}

async function request(url: string, signal: AbortSignal, body?: object): Promise<unknown> {
  let response: Response
  try {
    response = await fetch(url, body ? { method: 'POST', body: JSON.stringify(body), signal } : { signal })
  } catch (error) {
    const cause = (error as Error).cause as NodeJS.ErrnoException | undefined
    throw new EmbeddingError(`no answer from ${url}: ${cause?.code ?? (error as Error).message}`)
  }
  const text = await response.text().catch((error: Error) => `(response cut off: ${error.message})`)
  if (!response.ok) throw new EmbeddingError(`${url} answered ${response.status}: ${text.slice(0, 300)}`)
  try {
    return JSON.parse(text)
  } catch {
    throw new EmbeddingError(`${url} returned a body that is not JSON: ${text.slice(0, 300)}`)
  }
}

/** Seconds for which the listed digest is cached, so that a newly pulled model is noticed. */
const digestSeconds = 30
const cachedQueries = 1000
/** Queries that may wait for Ollama at the same time; at 20 ms each the last one waits about half a second. */
const maxInFlight = 32

export type QueryEmbedder = {
  /** The vector of a query and the digest of its model. Throws EmbeddingError. */
  embed(text: string): Promise<{ vector: number[]; digest: string }>
}

/** Embeds queries and caches the last thousand (about 6 MB at 768 dimensions), by digest of the model and text. */
export function createQueryEmbedder(url: string, model: string, timeoutMs: number): QueryEmbedder {
  const cache = new Map<string, number[]>()
  let known = { digest: '', until: 0 }
  let inFlight = 0

  async function digest(signal: AbortSignal): Promise<string> {
    if (known.until < Date.now()) {
      known = { digest: await listedDigest(url, model, signal), until: Date.now() + digestSeconds * 1000 }
    }
    return known.digest
  }

  async function vectorOf(text: string, signal: AbortSignal): Promise<number[]> {
    if (inFlight >= maxInFlight) throw new EmbeddingError(`${maxInFlight} searches are already waiting for Ollama`)
    inFlight++
    try {
      const [vector] = await embed(url, model, [withPrefix(model, 'query', text)], signal)
      if (!vector) throw new EmbeddingError('Ollama returned no vector')
      return vector
    } finally {
      inFlight--
    }
  }

  return {
    async embed(text) {
      const signal = AbortSignal.timeout(timeoutMs)
      const current = await digest(signal)
      const key = `${current} ${text}`
      const vector = cache.get(key) ?? (await vectorOf(text, signal))
      // A Map keeps insertion order, so deleting and setting an entry again keeps the least recently used one first.
      cache.delete(key)
      cache.set(key, vector)
      for (const oldest of cache.keys()) {
        if (cache.size <= cachedQueries) break
        cache.delete(oldest)
      }
      return { vector, digest: current }
    },
  }
}
