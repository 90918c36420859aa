import { loadConfigOrExit, variables } from '@inference/common/config.ts'
import { createLog } from '@inference/common/log.ts'
import { connectRedis } from '@inference/common/redis.ts'
import Type from 'typebox'
import { buildIndex } from './recipes/build-index.ts'
import { loadRecipes } from './recipes/recipe.ts'

/** The recipe index Job: exits with 0 once the recipes of this release can be searched. It tries once; the Job's backoff retries. */
const { LOG_LEVEL, REDIS_URL, REDIS_USERNAME, REDIS_PASSWORD, OLLAMA_URL, EMBED_MODEL } = variables
const config = loadConfigOrExit(
  Type.Object({ LOG_LEVEL, REDIS_URL, REDIS_USERNAME, REDIS_PASSWORD, OLLAMA_URL, EMBED_MODEL }),
)
const log = createLog('index-recipes', config.LOG_LEVEL)
const redis = connectRedis({
  url: config.REDIS_URL,
  username: config.REDIS_USERNAME,
  password: config.REDIS_PASSWORD,
  name: 'index-recipes',
  log,
})

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
  log.fatal({ error: (error as Error).message }, 'recipes are not indexed')
  process.exitCode = 1
} finally {
  await redis.close()
}
