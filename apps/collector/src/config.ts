import { groups, pick } from '@inference/common/variables.ts'

/** The environment variables of each program of the image, by its name in dist/. */
export const programs = {
  main: pick(
    ...groups.server,
    ...groups.rabbitmq,
    ...groups.redis,
    ...groups.postgres,
    'BATCH_SIZE',
    'BATCH_WAIT_MS',
    'HOLD_SECONDS',
    'DRAIN_SECONDS',
  ),
  migrate: pick('LOG_LEVEL', ...groups.postgres, 'GATEWAY_PASSWORD', 'COLLECTOR_PASSWORD', 'CONNECT_TIMEOUT_SECONDS'),
}
