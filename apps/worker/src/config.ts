import { groups, pick, variables } from '@inference/common/variables.ts'

/** The environment variables of each program of the image, by its name in dist/. */
export const programs = {
  main: pick(
    ...groups.server,
    ...groups.rabbitmq,
    ...groups.redis,
    'OLLAMA_URL',
    'CHAT_MODEL',
    'REQUIRE_GPU',
    'CONCURRENCY',
    'CONTEXT_LENGTH',
    'MAX_ATTEMPTS',
    'JOB_TIMEOUT_SECONDS',
    'DRAIN_SECONDS',
    'POD_NAME',
  ),
  'keep-models': {
    ...pick('LISTEN_ADDRESS', 'METRICS_PORT', 'LOG_LEVEL', 'CHAT_MODEL', 'EMBED_MODEL', 'REQUIRE_GPU'),
    // A sidecar: its Ollama is in the same pod.
    OLLAMA_URL: { ...variables.OLLAMA_URL, default: 'http://127.0.0.1:11434' },
    ...pick('LOAD_TIMEOUT_SECONDS'),
  },
  'pull-models': {
    ...pick('LOG_LEVEL', 'OLLAMA_HOSTS', 'CHAT_MODEL', 'EMBED_MODEL', 'MODEL_FILES', 'PULL_ATTEMPTS'),
    CONNECT_TIMEOUT_SECONDS: { ...variables.CONNECT_TIMEOUT_SECONDS, default: 900 },
  },
}
