import { at, text } from '#kubernetes/model/objects.ts'
import { remove, rewrite, type Seed, set } from './mutation.ts'
import { containers, files } from './places.ts'

/** ConfigMaps whose keys are environment variables, with one of them. */
export function variable(name: string, change: (value: string) => string | undefined): Seed {
  return function* (environment) {
    for (const { object, path } of files(environment, name)) {
      const value = change(text(at(object.raw, ...path)) ?? '')
      yield value === undefined ? remove(object, path) : set(object, path, value)
    }
    for (const { object, container } of containers(environment))
      for (const { name: own, value: before, path } of container.env)
        if (own === name && before !== undefined) {
          const value = change(before)
          yield value === undefined ? remove(object, path) : set(object, [...path, 'value'], value)
        }
  }
}

export const all = (names: readonly string[], change: (value: string) => string | undefined): Seed =>
  function* (environment) {
    for (const name of names) yield* variable(name, change)(environment)
  }

export const urls = [
  'RABBITMQ_URL',
  'REDIS_URL',
  'POSTGRES_URL',
  'OLLAMA_URL',
  'OLLAMA_HOSTS',
  'DATA_SOURCE_URI',
  'REDIS_ADDR',
]
export const users = ['RABBITMQ_USERNAME', 'REDIS_USERNAME', 'POSTGRES_USERNAME', 'REDIS_USER', 'DATA_SOURCE_USER']
export const secretFiles = [
  'RABBITMQ_PASSWORD_FILE',
  'REDIS_PASSWORD_FILE',
  'POSTGRES_PASSWORD_FILE',
  'GATEWAY_PASSWORD_FILE',
  'COLLECTOR_PASSWORD_FILE',
  'DATA_SOURCE_PASS_FILE',
]
export const numbers = [
  'PORT',
  'METRICS_PORT',
  'BATCH_SIZE',
  'BATCH_WAIT_MS',
  'CONCURRENCY',
  'CONTEXT_LENGTH',
  'MAX_TOKENS',
  'JOB_TIMEOUT_SECONDS',
  'DRAIN_SECONDS',
]

/** A setting of a configuration file in a ConfigMap: `maxmemory 10gb`, `max_connections = 200`. */
export function setting(file: string, pattern: RegExp, replacement: string): Seed {
  return function* (environment) {
    for (const { object, path } of files(environment, file))
      yield* rewrite(object, path, (content) => content.replace(pattern, replacement))
  }
}
