import { at, fields, items, text } from '#kubernetes/model/objects.ts'
import { broken, type MutationClass, remove, rewrite, set } from './mutation.ts'
import { containers, files } from './places.ts'
import { all, numbers, secretFiles, setting, urls, users, variable } from './variables.ts'

export const configuration: readonly MutationClass[] = [
  broken(
    'url-host',
    'The name does not resolve; the program never becomes ready.',
    all(urls, (value) => value.replace(/(^|\/\/)[a-z]+([-.:])/, '$1nowhere$2')),
  ),
  broken(
    'url-port',
    'Nothing listens on the port.',
    all(urls, (value) => value.replace(/:(\d+)(\/|\?| |$)/, ':9999$2')),
  ),
  broken(
    'url-scheme',
    'The program rejects the URL, or uses the wrong protocol.',
    all(['RABBITMQ_URL', 'REDIS_URL', 'POSTGRES_URL', 'OLLAMA_URL'], (value) => value.replace(/^\w+:/, 'tcp:')),
  ),
  broken(
    'url-namespace',
    'The name refers to a namespace without such a Service.',
    all(['RABBITMQ_URL', 'REDIS_URL', 'OLLAMA_URL'], (value) => value.replace(/\/\/([a-z]+):/, '//$1.default.svc:')),
  ),
  broken(
    'variable-missing',
    'The program exits at start: the variable has no default.',
    all(
      [
        'RABBITMQ_USERNAME',
        'REDIS_USERNAME',
        'POSTGRES_USERNAME',
        'CHAT_MODEL',
        'EMBED_MODEL',
        'CONTEXT_LENGTH',
        'OLLAMA_HOSTS',
        ...secretFiles,
      ],
      () => undefined,
    ),
  ),
  broken('variable-misspelt', 'The program uses its default, or exits at start.', function* (environment) {
    for (const name of [...users, ...secretFiles, 'CHAT_MODEL', 'EMBED_MODEL', 'CONTEXT_LENGTH'])
      for (const { object, path } of files(environment, name)) {
        const value = at(object.raw, ...path)
        yield [remove(object, path), set(object, ['data', name.replace('_', '')], value)]
      }
  }),
  broken(
    'variable-not-a-number',
    'The program exits at start: it expects a number.',
    all(numbers, (value) => `${value}s`),
  ),
  broken(
    'variable-out-of-range',
    'The program exits at start: the number is out of range.',
    all(['CONCURRENCY', 'BATCH_SIZE', 'CONTEXT_LENGTH', 'MAX_TOKENS'], () => '0'),
  ),
  broken(
    'log-level',
    'The program exits at start: there is no such level.',
    all(['LOG_LEVEL'], () => 'verbose'),
  ),
  broken(
    'credentials-file',
    'The program exits at start: there is no such file.',
    all(secretFiles, (value) => `${value}-v2`),
  ),
  broken(
    'credentials-folder',
    'The program exits at start: nothing is mounted there.',
    all(secretFiles, (value) => value.replace('/credentials/', '/secrets/')),
  ),
  broken('credentials-mount', 'The files are not where the program looks for them.', function* (environment) {
    for (const { object, container, path } of containers(environment))
      for (const [index, mount] of items(at(container.raw, 'volumeMounts')).entries())
        if (text(at(mount, 'mountPath'))?.startsWith('/etc/inference/') && at(container.raw, 'command') === undefined)
          yield set(object, [...path, 'volumeMounts', index, 'mountPath'], '/run/secrets/inference')
  }),
  broken(
    'configuration-mount',
    'The program starts without its configuration, or not at all: the file is missing.',
    function* (environment) {
      for (const { object, container, path } of containers(environment))
        for (const [index, mount] of items(at(container.raw, 'volumeMounts')).entries())
          if (/^\/usr\/local\/etc|^\/scripts/.test(text(at(mount, 'mountPath')) ?? ''))
            yield set(object, [...path, 'volumeMounts', index, 'mountPath'], '/configuration')
    },
  ),
  broken('argument-file', 'The program exits at start: there is no such file.', function* (environment) {
    for (const { object, container, path } of containers(environment))
      for (const field of ['args', 'command'])
        for (const [index] of items(at(container.raw, field)).entries())
          yield* rewrite(object, [...path, field, index], (value) =>
            value.replace(/(\/(?:usr\/local\/etc|scripts|etc\/inference)\/.*)\.(\w+)$/, '$1-v2.$2'),
          )
  }),
  broken(
    'username',
    'The user does not exist or has other permissions: authentication fails.',
    function* (environment) {
      for (const name of users) yield* variable(name, (value) => `${value}-v2`)(environment)
    },
  ),
  broken(
    'port-disagrees',
    'The program listens on a different port than the Service, probes and monitor use.',
    all(['PORT', 'METRICS_PORT'], () => '8181'),
  ),
  broken(
    'drain-too-long',
    'SIGKILL arrives before work in progress is finished: requests are processed twice.',
    all(['DRAIN_SECONDS'], () => '3600'),
  ),
  broken(
    'job-timeout-too-long',
    'The broker requeues the message, or the pod is killed, before the job ends.',
    all(['JOB_TIMEOUT_SECONDS'], () => '7200'),
  ),
  broken('grace-too-short', 'SIGKILL arrives before work in progress is finished.', function* (environment) {
    for (const { object, podPath, pod, runsToCompletion } of environment.workloads)
      if (
        !runsToCompletion &&
        at(pod, 'terminationGracePeriodSeconds') !== undefined &&
        /gateway|worker|collector|ollama|rabbitmq/.test(object.name)
      )
        yield set(object, [...podPath, 'terminationGracePeriodSeconds'], 5)
  }),
  broken('models-disagree', 'A program requests a model that was not pulled.', function* (environment) {
    for (const { object, container, path } of containers(environment))
      if (
        items(at(container.raw, 'envFrom')).some((source) =>
          text(at(source, 'configMapRef', 'name'))?.startsWith('models'),
        )
      )
        yield set(object, [...path, 'env', container.env.length], { name: 'CHAT_MODEL', value: 'qwen3:4b' })
  }),
  broken(
    'context-length-disagrees',
    'Ollama reloads the model for each caller with a different context length, or truncates its input.',
    function* (environment) {
      for (const { object, container } of containers(environment))
        for (const { name, path } of container.env)
          if (name === 'OLLAMA_CONTEXT_LENGTH') yield set(object, path, { name, value: '2048' })
    },
  ),
  broken(
    'parallelism',
    'Ollama queues requests that the workers consider running, and their timeouts expire.',
    function* (environment) {
      yield* variable('CONCURRENCY', () => '64')(environment)
      yield* variable('OLLAMA_NUM_PARALLEL', () => '1')(environment)
    },
  ),
  broken('gpu-required-on-cpu', 'The program exits on a node without a GPU.', function* (environment) {
    for (const { object, path } of files(environment, 'REQUIRE_GPU'))
      if (
        !environment.workloads.some(({ containers: list }) =>
          list.some(({ raw }) => at(raw, 'resources', 'limits', 'nvidia.com/gpu') !== undefined),
        )
      )
        yield set(object, path, 'true')
  }),
  broken('redis-maxmemory', 'The kernel kills Redis before it refuses writes.', function* (environment) {
    yield* variable('MAXMEMORY', () => '8gb')(environment)
  }),
  broken(
    'redis-eviction',
    'Under memory pressure Redis silently evicts quotas and statuses.',
    setting('redis.conf', /maxmemory-policy \w+/, 'maxmemory-policy allkeys-lru'),
  ),
  broken(
    'rabbitmq-watermark',
    'The kernel kills the broker before it blocks publishers.',
    setting('20-sizes.conf', /vm_memory_high_watermark.absolute = \w+/, 'vm_memory_high_watermark.absolute = 16GB'),
  ),
  broken(
    'rabbitmq-disk-limit',
    'The volume is smaller than the limit, so the broker blocks all publishers from the start.',
    setting('20-sizes.conf', /disk_free_limit.absolute = \w+/, 'disk_free_limit.absolute = 900GB'),
  ),
  broken(
    'rabbitmq-member',
    'The broker waits for a member that never joins, or forms a separate cluster.',
    setting('30-cluster.conf', /rabbit@rabbitmq-2\./, 'rabbit@rabbitmq-7.'),
  ),
  broken(
    'consumer-timeout',
    'The broker requeues the message while its job is still running.',
    setting('10-platform.conf', /consumer_timeout = \d+/, 'consumer_timeout = 60000'),
  ),
  broken(
    'postgres-memory',
    'The kernel kills Postgres, or it does not start.',
    setting('postgresql.conf', /shared_buffers = \w+/, 'shared_buffers = 64GB'),
  ),
  broken(
    'listening-port',
    'The server listens on a different port than its container declares.',
    function* (environment) {
      yield* setting('10-platform.conf', /listeners.tcp.default = 5672/, 'listeners.tcp.default = 5673')(environment)
      yield* setting('10-platform.conf', /prometheus.tcp.port = 15692/, 'prometheus.tcp.port = 15693')(environment)
      yield* setting('10-platform.conf', /management.tcp.port = 15672/, 'management.tcp.port = 15673')(environment)
      yield* variable('OLLAMA_HOST', (value) => value.replace('11434', '11435'))(environment)
    },
  ),
  broken(
    'listening-locally',
    'The server listens only on the loopback address: no other pod can connect to it.',
    function* (environment) {
      yield* setting('postgresql.conf', /listen_addresses = '\*'/, "listen_addresses = 'localhost'")(environment)
      yield* variable('OLLAMA_HOST', (value) => value.replace('0.0.0.0', '127.0.0.1'))(environment)
    },
  ),
  broken(
    'member-missing',
    'The host is a member that the StatefulSet does not have.',
    variable('OLLAMA_HOSTS', (value) => value.replace(/ollama-\d/, 'ollama-9')),
  ),
  broken(
    'redis-acl-user',
    'The user that a program logs in as does not exist in Redis.',
    setting('users.acl', /user worker on/, 'user workers on'),
  ),
  broken(
    'rabbitmq-user',
    'The user that a program logs in as does not exist in the broker.',
    setting('users.json', /"name": "collector", "password"/, '"name": "collectors", "password"'),
  ),
  broken('store-volatile', 'An acknowledged write is lost with the pod.', function* (environment) {
    yield* setting('redis.conf', /appendonly yes/, 'appendonly no')(environment)
    yield* setting('postgresql.conf', /fsync = on/, 'fsync = off')(environment)
  }),
  broken(
    'data-elsewhere',
    'The server writes outside its volume: the data is lost with the pod, or the write fails on the read-only filesystem.',
    function* (environment) {
      yield* setting('redis.conf', /^dir \/data$/m, 'dir /var/lib/redis')(environment)
      yield* variable('PGDATA', () => '/var/lib/postgres/pgdata')(environment)
      yield* variable('OLLAMA_MODELS', () => '/models')(environment)
      yield* variable('HOME', () => '/home/ollama')(environment)
    },
  ),
  broken('configmap-empty', 'The program finds none of its settings.', function* (environment) {
    for (const map of environment.ofKind('ConfigMap', ''))
      if (Object.keys(fields(map.raw.data)).length > 0) yield remove(map, ['data'])
  }),
]
