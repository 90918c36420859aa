import type { Log } from '@inference/common/log.ts'
import { parseModel } from '@inference/common/model.ts'
import type { RedisClient } from '@inference/common/redis.ts'
import { EmbeddingError, embed, listedDigest } from './embed.ts'
import type { Recipe } from './recipe.ts'
import { addVectors, countVectors, documentOf, presentIds, removeRetired, switchTo, vectorSetName } from './store.ts'

/** Texts per call of Ollama: some seconds of work on a slow CPU, so progress is visible and a retry repeats little. */
const batchSize = 16
const batchTimeoutMs = 120_000
/** A day: longer than any rollout during which gateways of the earlier release still search the old vectors. */
const retireSeconds = 86_400

type BuildIndexOptions = {
  client: RedisClient
  log: Log
  ollamaUrl: string
  /** `name:tag`, with the digest that Ollama must have if it is pinned. */
  embedModel: string
  recipes: Recipe[]
  graceSeconds?: number
}

/**
 * Builds the vector set of these recipes and this model, switches to it, and removes sets that retired long enough ago. Safe to
 * repeat, to interrupt and to run concurrently: the name of the set follows from its content, each element is written atomically,
 * and the switch is the last step. Returns what was done.
 */
export async function buildIndex(
  options: BuildIndexOptions,
): Promise<{ vectorSet: string; embedded: number; removed: string[] }> {
  const { client, log, ollamaUrl, embedModel, recipes } = options
  const digest = await verifiedDigest(ollamaUrl, embedModel)
  const documents = recipes.map((recipe) => documentOf(recipe, embedModel))
  const vectorSet = vectorSetName(digest, documents)

  const present = await presentIds(
    client,
    vectorSet,
    documents.map(({ id }) => id),
  )
  const missing = documents.filter(({ id }) => !present.has(id))
  log.info({ vectorSet, recipes: documents.length, toEmbed: missing.length }, 'indexing started')

  for (let from = 0; from < missing.length; from += batchSize) {
    const batch = missing.slice(from, from + batchSize)
    const signal = AbortSignal.timeout(batchTimeoutMs)
    const vectors = await embed(
      ollamaUrl,
      embedModel,
      batch.map(({ text }) => text),
      signal,
    )
    await addVectors(
      client,
      vectorSet,
      batch.map(({ id, attributes }, i) => ({ id, attributes, vector: vectors[i] ?? [] })),
    )
    log.info({ done: from + batch.length, of: missing.length }, 'recipes embedded')
  }

  const count = await countVectors(client, vectorSet)
  if (count !== documents.length) {
    throw new Error(
      `${vectorSet} has ${count} recipes instead of ${documents.length}; another job may have removed it, run this one again`,
    )
  }
  await switchTo(client, digest, vectorSet, options.graceSeconds ?? retireSeconds)
  const removed = await removeRetired(client)
  log.info({ vectorSet, embedded: missing.length, removed }, 'index in use')
  return { vectorSet, embedded: missing.length, removed }
}

async function verifiedDigest(ollamaUrl: string, embedModel: string): Promise<string> {
  const listed = await listedDigest(ollamaUrl, embedModel, AbortSignal.timeout(10_000))
  const { name, digest } = parseModel(embedModel)
  if (digest !== undefined && digest !== listed) {
    throw new EmbeddingError(
      `Ollama's ${name} has the digest ${listed}, but versions.yaml pins ${digest}; run the Job pull-models, or correct the digest`,
    )
  }
  return listed
}
