import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { root } from '#cli/paths.ts'
import { deriveSecrets } from '#platform/secrets.ts'
import type { Containers } from './containers.ts'

const contextLength = '4096'

/** Gives a value of a Secret. */
type Secrets = (secret: string, key: string) => string

/** The ports of 127.0.0.1 that the stores are published on. */
type Ports = Readonly<Record<'rabbitmq' | 'redis' | 'postgres' | 'ollama', number>>

/** Starts the containers, with random passwords, and gives each program the environment that its pod would have. */
export async function startStores(containers: Containers) {
  const { images, models } = versions()
  const secrets = await localSecrets()
  return environments(await startContainers(containers, images, secrets), models, secrets)
}

async function startContainers(containers: Containers, images: Versions['images'], secrets: Secrets): Promise<Ports> {
  const text = (path: string) => readFileSync(path, 'utf8')
  const [rabbitmq, redis, postgres, ollama] = await Promise.all([
    containers.start({
      name: 'rabbitmq',
      image: images.rabbitmq,
      port: 5672,
      files: {
        '/etc/rabbitmq/conf.d/10-platform.conf': text('base/rabbitmq/10-platform.conf'),
        '/etc/rabbitmq/definitions/10-users.json': secrets('rabbitmq-credentials', 'users.json'),
        '/etc/rabbitmq/definitions/20-topology.json': text('base/rabbitmq/topology.json'),
      },
    }),
    containers.start({
      name: 'redis',
      image: images.redis,
      port: 6379,
      args: ['/usr/local/etc/redis/redis.conf'],
      files: {
        '/usr/local/etc/redis/redis.conf': text('base/redis/redis.conf'),
        '/etc/inference/credentials/users.acl': secrets('redis-credentials', 'users.acl'),
      },
    }),
    containers.start({
      name: 'postgres',
      image: images.postgres,
      port: 5432,
      env: { POSTGRES_DB: 'inference', POSTGRES_PASSWORD: secrets('postgres-credentials', 'admin-password') },
    }),
    containers.start({
      name: 'ollama',
      image: images.ollama,
      port: 11434,
      env: {
        OLLAMA_KEEP_ALIVE: '-1',
        OLLAMA_NO_CLOUD: '1',
        OLLAMA_NUM_PARALLEL: '4',
        OLLAMA_CONTEXT_LENGTH: contextLength,
      },
    }),
  ])
  return { rabbitmq, redis, postgres, ollama }
}

/** The variables of each program. */
function environments({ rabbitmq, redis, postgres, ollama }: Ports, models: Versions['models'], secrets: Secrets) {
  const ollamaUrl = `http://127.0.0.1:${ollama}`
  const postgresUrl = { POSTGRES_URL: `postgres://127.0.0.1:${postgres}/inference` }
  const broker = (user: string) => ({
    RABBITMQ_URL: `amqp://127.0.0.1:${rabbitmq}`,
    RABBITMQ_USERNAME: user,
    RABBITMQ_PASSWORD: secrets(`${user}-credentials`, 'rabbitmq-password'),
    REDIS_URL: `redis://127.0.0.1:${redis}`,
    REDIS_USERNAME: user,
    REDIS_PASSWORD: secrets(`${user}-credentials`, 'redis-password'),
    DRAIN_SECONDS: '5',
  })
  const database = (user: string) => ({
    ...postgresUrl,
    POSTGRES_USERNAME: user,
    POSTGRES_PASSWORD: secrets(`${user}-credentials`, 'postgres-password'),
  })
  const modelNames = { CHAT_MODEL: models.chat, EMBED_MODEL: models.embed, OLLAMA_URL: ollamaUrl }
  return {
    ollama: ollamaUrl,
    models: modelNames,
    gateway: { ...broker('gateway'), ...database('gateway'), ...modelNames },
    worker: { ...broker('worker'), ...modelNames, CONTEXT_LENGTH: contextLength, CONCURRENCY: '4', POD_NAME: 'worker' },
    collector: { ...broker('collector'), ...database('collector') },
    migrate: {
      ...postgresUrl,
      POSTGRES_USERNAME: 'postgres',
      POSTGRES_PASSWORD: secrets('postgres-credentials', 'admin-password'),
      GATEWAY_PASSWORD: secrets('postgres-credentials', 'gateway-password'),
      COLLECTOR_PASSWORD: secrets('postgres-credentials', 'collector-password'),
    },
  }
}

type Versions = {
  images: Record<'rabbitmq' | 'redis' | 'postgres' | 'ollama', string>
  models: Record<'chat' | 'embed', string>
}

/** The images and models of the kind environment: those that fit on a laptop. */
function versions(): Versions {
  return (parse(readFileSync('overlays/kind/versions.yaml', 'utf8')) as { spec: Versions }).spec
}

/** The Secrets that an environment of this repository has, new at each start. */
async function localSecrets(): Promise<Secrets> {
  const names = ['gateway', 'worker', 'collector', 'rabbitmq', 'redis', 'postgres'].map((name) => `${name}-credentials`)
  const derived = await deriveSecrets(root, 'local', names, [], randomBytes(32))
  return (secret, key) => {
    const value = derived.find(({ metadata }) => metadata.name === secret)?.stringData[key]
    if (value === undefined) throw new Error(`the Secret ${secret} has no key ${key}`)
    return value
  }
}
