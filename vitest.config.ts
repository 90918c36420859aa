import { defineConfig } from 'vitest/config'

/** Tests that talk to the real RabbitMQ, Redis, Postgres and Ollama, in containers that one run shares. */
const services = ['test/**/*.services.test.ts']

export default defineConfig({
  test: {
    reporters: ['default', './test/support/summary-reporter.ts'],
    testTimeout: 30_000,
    // A browser, an API server or a container takes its time on a busy machine.
    hookTimeout: 120_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: services,
        },
      },
      {
        extends: true,
        test: {
          name: 'services',
          include: services,
          globalSetup: 'test/support/global-setup.ts',
          // One after another: the files share the queues.
          fileParallelism: false,
          // Real networks, processes and a browser: the summary names what needed the second try.
          retry: 1,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
