import { createLog } from '@inference/common/log.ts'
import type { connectRedis } from '@inference/common/redis.ts'
import { buildIndex } from '../../apps/gateway/src/recipes/build-index.ts'
import { loadRecipes } from '../../apps/gateway/src/recipes/recipe.ts'
import { waitUntil } from './gateway.ts'
import { models } from './requests.ts'

type Redis = ReturnType<typeof connectRedis>

/** Deletes the keys that match one of the patterns. */
export async function deleteKeys(client: Redis['client'], ...patterns: readonly string[]): Promise<void> {
  for (const pattern of patterns)
    for await (const keys of client.scanIterator({ MATCH: pattern })) if (keys.length > 0) await client.del(keys)
}

/** Waits for Redis and builds the index of all recipes there. */
export async function indexRecipes(redis: Redis, ollamaUrl: string): Promise<void> {
  await waitUntil(() => redis.ready, 'Redis is connected')
  const log = createLog('test', 'silent')
  await buildIndex({ client: redis.client, log, ollamaUrl, embedModel: models.embed, recipes: loadRecipes() })
}
