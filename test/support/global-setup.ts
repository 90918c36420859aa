import type { StartedTestContainer } from 'testcontainers'
import type { TestProject } from 'vitest/node'
import { containerEngineProblem, startOllama, startPostgres, startRabbitmq, startRedis } from './containers.ts'

/** Addresses of the containers that all test files of a run share, available through `inject('services')`. */
export type Services = {
  rabbitmq: { url: string; managementUrl: string }
  redis: { url: string }
  postgres: { url: string }
  ollama: { url: string }
}

declare module 'vitest' {
  interface ProvidedContext {
    /** null where no container engine runs: use `describe.skipIf(inject('services') === null)`. */
    services: Services | null
  }
}

/** Starts each container once per run; without a container engine reports what is skipped. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const problem = await containerEngineProblem()
  if (problem !== undefined) {
    console.warn(
      `\n${'!'.repeat(100)}\n  SKIPPED: every test that needs RabbitMQ, Redis, Postgres, Ollama or an image build (test/**/*.services.test.ts),\n` +
        `  because no container engine answers: ${problem}\n` +
        `  Start Docker or Podman, or set DOCKER_HOST, and run again.\n${'!'.repeat(100)}\n`,
    )
    project.provide('services', null)
    return async () => undefined
  }
  const [rabbitmq, redis, postgres, ollama] = await Promise.all([
    startRabbitmq(),
    startRedis(),
    startPostgres(),
    startOllama(),
  ])
  project.provide('services', {
    rabbitmq: { url: rabbitmq.url, managementUrl: rabbitmq.managementUrl },
    redis: { url: redis.url },
    postgres: { url: postgres.url },
    ollama: { url: ollama.url },
  })
  const containers: StartedTestContainer[] = [rabbitmq, redis, postgres, ollama].map(({ container }) => container)
  return async () => {
    await Promise.all(containers.map((container) => container.stop({ timeout: 0 })))
  }
}
