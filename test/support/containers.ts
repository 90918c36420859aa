import { readFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { GenericContainer, getContainerRuntimeClient, type StartedTestContainer, Wait } from 'testcontainers'
import { root } from '#cli/paths.ts'
import { imagesOf } from '#cluster/images.ts'
import { createModelFromFile } from '../../apps/worker/src/model-file.ts'

/** The images that the kind environment runs: those without a GPU. */
export const images = imagesOf(root, 'kind') as Record<'rabbitmq' | 'redis' | 'postgres' | 'ollama', string>

/** Password of every user in the containers. */
export const password = 'test-password'

/** Why containers cannot be started here; undefined if they can. */
export async function containerEngineProblem(): Promise<string | undefined> {
  try {
    await getContainerRuntimeClient()
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

/** A TCP port that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

export type Rabbitmq = { container: StartedTestContainer; url: string; managementUrl: string }

/**
 * RabbitMQ with the queues and policies of base/rabbitmq and the users of docs/architecture.md, besides `admin`.
 * `port` fixes the AMQP port on the host, so that a restarted container is found where it was.
 */
export async function startRabbitmq(port?: number): Promise<Rabbitmq> {
  const container = await new GenericContainer(images.rabbitmq)
    .withExposedPorts(port ? { container: 5672, host: port } : 5672, 15672)
    .withCopyContentToContainer([
      { content: JSON.stringify(brokerDefinitions()), target: '/etc/rabbitmq/definitions.json' },
      { content: 'load_definitions = /etc/rabbitmq/definitions.json\n', target: '/etc/rabbitmq/conf.d/90-test.conf' },
    ])
    .withWaitStrategy(Wait.forLogMessage(/Server startup complete/).withStartupTimeout(120_000))
    .start()
  return {
    container,
    url: `amqp://${container.getHost()}:${container.getMappedPort(5672)}`,
    managementUrl: `http://${container.getHost()}:${container.getMappedPort(15672)}`,
  }
}

/** The definitions of an environment's broker, with users of the tests instead of the real ones. */
function brokerDefinitions(): object {
  const topology = JSON.parse(readFileSync('base/rabbitmq/topology.json', 'utf8')) as object
  const user = (name: string, tags: string[] = []) => ({ name, password, tags })
  const permission = (name: string, write: string, read: string, configure = '^$') => ({
    user: name,
    vhost: '/',
    configure,
    write,
    read,
  })
  return {
    ...topology,
    vhosts: [{ name: '/' }],
    users: [user('admin', ['administrator']), user('gateway'), user('worker'), user('collector')],
    permissions: [
      permission('admin', '.*', '.*', '.*'),
      permission('gateway', '^(amq\\.default|ai-requests)$', '^$'),
      permission('worker', '^(amq\\.default|ai-responses)$', '^ai-requests$'),
      permission('collector', '^$', '^ai-responses$'),
    ],
  }
}

export type Redis = { container: StartedTestContainer; url: string }

/** Redis with the configuration of base/redis and the ACL users of docs/architecture.md, besides `admin`. */
export async function startRedis(port?: number): Promise<Redis> {
  const commands = '+@read +@write +@connection +@pubsub +@scripting +@transaction +time'
  const users = [
    // Off, so nobody can log in as it, but allowed everything: Redis loads scripts and transactions from its file as this user.
    'default off ~* &* +@all',
    `admin on >${password} ~* &* +@all`,
    `gateway on >${password} ~apikey* ~quota:* ~idempotency:* ~request:* ~events:* ~recipes* ~access:* &events:* ${commands} +vadd +vsim +vgetattr +vcard`,
    `worker on >${password} ~request:* ~events:* &events:* ${commands}`,
    `collector on >${password} ~quota:* ~request:* ~events:* &events:* ${commands}`,
  ]
  const container = await new GenericContainer(images.redis)
    .withExposedPorts(port ? { container: 6379, host: port } : 6379)
    .withCopyContentToContainer([
      { content: readFileSync('base/redis/redis.conf'), target: '/usr/local/etc/redis/redis.conf' },
      { content: users.map((user) => `user ${user}\n`).join(''), target: '/etc/inference/credentials/users.acl' },
    ])
    .withCommand(['/usr/local/etc/redis/redis.conf'])
    .withWaitStrategy(Wait.forListeningPorts())
    .start()
  return { container, url: `redis://${container.getHost()}:${container.getMappedPort(6379)}` }
}

/** The variables by which a service connects to broker and Redis, as the user of its name. */
export function brokerAndRedis(user: string, services: Record<'rabbitmq' | 'redis', { url: string }>) {
  return {
    RABBITMQ_URL: services.rabbitmq.url,
    RABBITMQ_USERNAME: user,
    RABBITMQ_PASSWORD: password,
    REDIS_URL: services.redis.url,
    REDIS_USERNAME: user,
    REDIS_PASSWORD: password,
  }
}

export type Postgres = { container: StartedTestContainer; url: string }

/** Postgres with an empty database `inference`, owned by `postgres`. */
export async function startPostgres(port?: number): Promise<Postgres> {
  const container = await new GenericContainer(images.postgres)
    .withExposedPorts(port ? { container: 5432, host: port } : 5432)
    .withEnvironment({ POSTGRES_PASSWORD: password, POSTGRES_DB: 'inference' })
    // The first start is the initialisation, on a socket only.
    .withWaitStrategy(Wait.forLogMessage(/database system is ready to accept connections/, 2))
    .start()
  return { container, url: `postgres://${container.getHost()}:${container.getMappedPort(5432)}/inference` }
}

export type Ollama = { container: StartedTestContainer; url: string }

/** Ollama with the tiny models `tiny-chat` and `tiny-embed`. */
export async function startOllama(port?: number): Promise<Ollama> {
  const container = await new GenericContainer(images.ollama)
    .withExposedPorts(port ? { container: 11434, host: port } : 11434)
    .withEnvironment({
      OLLAMA_KEEP_ALIVE: '-1',
      OLLAMA_NUM_PARALLEL: '4',
      OLLAMA_CONTEXT_LENGTH: '512',
      OLLAMA_NO_CLOUD: '1',
    })
    .withWaitStrategy(Wait.forHttp('/api/version', 11434))
    .start()
  const url = `http://${container.getHost()}:${container.getMappedPort(11434)}`
  // As the Job pull-models does it, so the models have the digests that overlays/kind/versions.yaml pins.
  for (const name of ['tiny-chat', 'tiny-embed']) {
    await createModelFromFile(url, `${name}:latest`, `overlays/kind/models/${name}.gguf`, AbortSignal.timeout(60_000))
  }
  return { container, url }
}
