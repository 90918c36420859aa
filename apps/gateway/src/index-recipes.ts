import { loadConfigOrExit, loginOf } from '@inference/common/config.ts'
import { createLog } from '@inference/common/log.ts'
import { connectRedis } from '@inference/common/redis.ts'
import { programs } from './config.ts'
import { buildIndex } from './recipes/build-index.ts'
import { loadRecipes } from './recipes/recipe.ts'

/** The recipe index Job: exits with 0 once the recipes of this release can be searched. One attempt; the Job's backoff retries. */
const config = loadConfigOrExit(programs['index-recipes'])
const log = createLog('index-recipes', config.LOG_LEVEL)
const redis = connectRedis({ ...loginOf(config, 'REDIS'), name: 'index-recipes', log })

try {
  for (let i = 0; i < 600 && !redis.ready; i++) await new Promise((resolve) => setTimeout(resolve, 50))
  if (!redis.ready)
    throw new Error(`no answer from Redis at ${config.REDIS_URL} within 30 s; check its address and credentials`)
  await buildIndex({
    client: redis.client,
    log,
    ollamaUrl: config.OLLAMA_URL,
    embedModel: config.EMBED_MODEL,
    recipes: loadRecipes(),
  })
} catch (error) {
  log.fatal({ error: (error as Error).message }, 'indexing the recipes failed')
  process.exitCode = 1
} finally {
  await redis.close()
}
