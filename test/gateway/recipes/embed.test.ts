import { describe, expect, it } from 'vitest'
import { createQueryEmbedder, EmbeddingError, withPrefix } from '../../../apps/gateway/src/recipes/embed.ts'

describe('withPrefix', () => {
  it('adds the prefix that the model was trained with', () => {
    expect(withPrefix('nomic-embed-text:v1.5@sha256:00', 'query', 'tomato')).toBe('search_query: tomato')
    expect(withPrefix('registry.example.com/team/nomic-embed-text', 'document', 'x')).toBe('search_document: x')
    expect(withPrefix('tiny-embed', 'query', 'tomato')).toBe('tomato')
  })
})

describe('the query embedder', () => {
  it('names the Ollama that did not answer', async () => {
    const embedder = createQueryEmbedder('http://127.0.0.1:9', 'tiny-embed', 1000)
    const failure = await embedder.embed('x').catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(EmbeddingError)
    expect(String(failure)).toContain('no answer from http://127.0.0.1:9')
  })
})
