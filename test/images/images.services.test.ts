import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { parse } from 'yaml'
import { buildImage, type Service, services } from '#cluster/images.ts'
import { findEngine } from '#system/container-engine.ts'
import { run } from '#system/process.ts'
import { brokerAndRedis, freePort, password } from '../support/containers.ts'
import { waitUntil } from '../support/gateway.ts'
import { models } from '../support/requests.ts'

type Probe = { httpGet: { path: string } }
type Container = { name: string; args: string[] } & Record<'startupProbe' | 'readinessProbe' | 'livenessProbe', Probe>
type Deployment = { spec: { template: { spec: { containers: Container[] } } } }

const base = 'docker.io/library/node:24-bookworm-slim'
const shared = inject('services')

/** The images as a cluster runs them: built by apps/Dockerfile, and as restricted as in the manifests. */
describe.skipIf(shared === null)('the images', { timeout: 600_000 }, () => {
  const image = (service: Service) => `localhost/inference-${service}:test-${process.pid}`
  let program: string

  async function engine(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await run(program, args)
    if (code !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`)
    return stdout.trim()
  }

  beforeAll(async () => {
    const found = await findEngine()
    program = found.program
    for (const service of services) await buildImage(process.cwd(), found, service, image(service))
  }, 900_000)

  afterAll(async () => {
    await engine('rmi', '--force', ...services.map(image))
  })

  const environments: Partial<Record<Service, Record<string, string>>> = {
    gateway: {
      POSTGRES_URL: shared?.postgres.url ?? '',
      POSTGRES_USERNAME: 'postgres',
      POSTGRES_PASSWORD: password,
      CHAT_MODEL: models.chat,
      EMBED_MODEL: models.embed,
    },
    worker: { OLLAMA_URL: shared?.ollama.url ?? '', CHAT_MODEL: models.chat, CONTEXT_LENGTH: '512' },
    collector: {
      POSTGRES_URL: shared?.postgres.url ?? '',
      POSTGRES_USERNAME: 'postgres',
      POSTGRES_PASSWORD: password,
    },
  }

  test.each(services)('%s runs as 10001 on a read-only root, with nothing but its image', async (service) => {
    const { args, ...container } = containerOf(service)
    const port = await freePort()
    const variables = {
      ...environments[service],
      ...brokerAndRedis(service, shared as NonNullable<typeof shared>),
      LISTEN_ADDRESS: '127.0.0.1',
      PORT: String(await freePort()),
      METRICS_PORT: String(port),
    }
    const start = performance.now()
    const id = await engine(
      ...['run', '--detach', '--network=host', '--read-only', '--cap-drop=ALL', '--security-opt=no-new-privileges'],
      ...Object.entries(variables).flatMap(([name, value]) => ['--env', `${name}=${value}`]),
      ...[image(service), ...args],
    )
    try {
      const { path } = container.livenessProbe.httpGet
      await waitUntil(async () => (await fetch(`http://127.0.0.1:${port}${path}`)).ok, `${service} answers ${path}`)
      console.log(`${service} answered after ${Math.round(performance.now() - start)} ms`)
      for (const probe of ['startupProbe', 'readinessProbe'] as const) {
        const url = `http://127.0.0.1:${port}${container[probe].httpGet.path}`
        // Another program provides the models: a worker without one is alive but not ready.
        const status = probe === 'readinessProbe' && service === 'worker' ? 503 : 200
        await waitUntil(async () => (await fetch(url)).status === status, `${url} answers ${status}`)
      }
      expect(await engine('exec', id, 'id', '-u')).toBe('10001')
      await expect(engine('exec', '--user=0', id, 'touch', '/app/dist/main.js')).rejects.toThrow(
        'Read-only file system',
      )
      await engine('stop', '--time=15', id)
      expect(await engine('inspect', '--format={{.State.ExitCode}}', id)).toBe('0')
    } finally {
      await engine('rm', '--force', id)
    }
  })

  test.each(services)('%s adds less than 8 MB to its base', async (service) => {
    const size = async (name: string) => Number(await engine('image', 'inspect', '--format={{.Size}}', name))
    const added = (await size(image(service))) - (await size(base))
    console.log(`${service} adds ${(added / 1e6).toFixed(1)} MB`)
    expect(added).toBeGreaterThan(0)
    expect(added).toBeLessThan(8e6)
  })
})

function containerOf(service: Service): Container {
  const { spec } = parse(readFileSync(`base/${service}/deployment.yaml`, 'utf8')) as Deployment
  const found = spec.template.spec.containers.find(({ name }) => name === service)
  if (found === undefined) throw new Error(`base/${service}/deployment.yaml has no container ${service}`)
  return found
}
