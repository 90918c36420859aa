import type { Config } from '@inference/common/config.ts'
import { groups, pick } from '@inference/common/variables.ts'

/** The environment variables of each program of the image, by its name in dist/. */
export const programs = {
  main: pick(
    ...groups.server,
    'PORT',
    ...groups.rabbitmq,
    ...groups.redis,
    ...groups.postgres,
    'OLLAMA_URL',
    'CHAT_MODEL',
    'EMBED_MODEL',
    'JOB_TIMEOUT_SECONDS',
    'DRAIN_SECONDS',
    'TRUSTED_PROXIES',
    'MAX_TOKENS',
  ),
  keys: pick(...groups.redis),
  'index-recipes': pick('LOG_LEVEL', ...groups.redis, 'OLLAMA_URL', 'EMBED_MODEL'),
}

export type GatewayConfig = Config<typeof programs.main>
