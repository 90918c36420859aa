import { readFileSync } from 'node:fs'
import { GenericContainer, type StartedNetwork, type StartedTestContainer, Wait } from 'testcontainers'
import type { SecretManifest } from '#platform/secrets.ts'
import { images } from './containers.ts'

const credentials = '/etc/inference/credentials'

/** The value of a Secret. Throws if there is none. */
export function secretValue(secrets: readonly SecretManifest[], name: string, key: string): string {
  const value = secrets.find(({ metadata }) => metadata.name === name)?.stringData[key]
  if (value === undefined) throw new Error(`no Secret ${name} with the key ${key}`)
  return value
}

/** Postgres as base/postgres configures it: empty, with the password of the Secret, known to the network as `postgres`. */
export function startPlatformPostgres(
  network: StartedNetwork,
  secrets: readonly SecretManifest[],
): Promise<StartedTestContainer> {
  return new GenericContainer(images.postgres)
    .withNetwork(network)
    .withNetworkAliases('postgres')
    .withExposedPorts(5432)
    .withEnvironment({
      POSTGRES_DB: 'inference',
      POSTGRES_PASSWORD: secretValue(secrets, 'postgres-credentials', 'admin-password'),
    })
    .withCopyContentToContainer([
      {
        content: readFileSync('base/postgres/postgresql.conf'),
        target: '/usr/local/etc/postgresql/postgresql.conf',
        mode: 0o444,
      },
    ])
    .withCommand(['postgres', '-c', 'config_file=/usr/local/etc/postgresql/postgresql.conf'])
    .withWaitStrategy(Wait.forLogMessage(/database system is ready to accept connections/, 2))
    .start()
}

/** Redis as base/redis configures it: empty, with the users of the Secret, known to the network as `redis`; `args` as in the StatefulSet. */
export function startPlatformRedis(
  network: StartedNetwork,
  secrets: readonly SecretManifest[],
  args: readonly string[] = [],
): Promise<StartedTestContainer> {
  return new GenericContainer(images.redis)
    .withNetwork(network)
    .withNetworkAliases('redis')
    .withExposedPorts(6379)
    .withCopyContentToContainer([
      { content: readFileSync('base/redis/redis.conf'), target: '/usr/local/etc/redis/redis.conf' },
      { content: secretValue(secrets, 'redis-credentials', 'users.acl'), target: `${credentials}/users.acl` },
    ])
    .withCommand(['/usr/local/etc/redis/redis.conf', ...args])
    .withWaitStrategy(Wait.forListeningPorts())
    .start()
}

/** RabbitMQ as base/rabbitmq configures it: users of the Secret, queues and policies of topology.json, known to the network as `rabbitmq`. */
export function startPlatformRabbitmq(
  network: StartedNetwork,
  secrets: readonly SecretManifest[],
): Promise<StartedTestContainer> {
  const copied = ['10-platform.conf', '20-sizes.conf', 'enabled_plugins'].map((name) => ({
    content: readFileSync(`base/rabbitmq/${name}`),
    target: `/etc/rabbitmq/conf.d/${name}`,
  }))
  const users = secretValue(secrets, 'rabbitmq-credentials', 'users.json')
  return new GenericContainer(images.rabbitmq)
    .withNetwork(network)
    .withNetworkAliases('rabbitmq')
    .withExposedPorts(15672)
    .withEnvironment({ RABBITMQ_ENABLED_PLUGINS_FILE: '/etc/rabbitmq/conf.d/enabled_plugins' })
    .withCopyContentToContainer([
      ...copied,
      { content: users, target: '/etc/rabbitmq/definitions/10-users.json' },
      {
        content: readFileSync('base/rabbitmq/topology.json'),
        target: '/etc/rabbitmq/definitions/20-topology.json',
      },
    ])
    .withWaitStrategy(Wait.forLogMessage(/Server startup complete/).withStartupTimeout(120_000))
    .start()
}
