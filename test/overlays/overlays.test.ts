import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse, parseAllDocuments, stringify } from 'yaml'
import { root } from '#cli/paths.ts'
import { at } from '#kubernetes/model/objects.ts'
import { kustomizationTarget, render } from '#manifests/kustomize.ts'
import { runCommand, scratchRepository } from '../support/repository.ts'

const folders = (path: string) =>
  readdirSync(join(root, path), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
const examples = folders('test/overlays')

describe('the environments of this repository', () => {
  it('pass', () => {
    const { code, stdout, stderr } = runCommand(root, ['check', '--no-cache'])
    expect(stdout + stderr).toMatch(
      /^dev .* passed$[\s\S]*^staging .* passed, 3 exempted$[\s\S]*^prod .* passed, 3 exempted$[\s\S]*^kind .* passed$/m,
    )
    expect(code).toBe(0)
  })
})

describe('the components that no environment enables', () => {
  it.each(examples)('%s makes an environment that passes', (name) => {
    const { code, stdout, stderr } = runCommand(root, ['check', '--kustomize', `test/overlays/${name}`])
    expect(stdout + stderr).toMatch(/passed, 3 exempted$/m)
    expect(code).toBe(0)
  })

  it('leave no component that is rendered nowhere', () => {
    const kustomizations = [
      ...folders('overlays').map((name) => `overlays/${name}`),
      ...examples.map((name) => `test/overlays/${name}`),
    ]
    const rendered = kustomizations
      .map((folder) => readFileSync(join(root, folder, 'kustomization.yaml'), 'utf8'))
      .join('\n')
    expect(folders('components').filter((name) => !rendered.includes(`components/${name}\n`))).toEqual([])
  })
})

describe('the component backup', () => {
  it('can be enabled in kind as docs/operations.md describes', () => {
    const folder = scratchRepository({})
    for (const part of ['base', 'components', 'overlays', 'check.yaml'])
      cpSync(join(root, part), join(folder, part), { recursive: true })
    const file = join(folder, 'overlays/kind/kustomization.yaml')
    const said = /^```yaml\n(# overlays\/kind\/kustomization\.yaml\n[\s\S]*?)```$/m.exec(
      readFileSync(join(root, 'docs/operations.md'), 'utf8'),
    )?.[1]
    const add = parse(said ?? '')
    const kustomization = parse(readFileSync(file, 'utf8'))
    const components = [...add.components, ...kustomization.components]
    const patches = [...kustomization.patches, ...add.patches]
    writeFileSync(file, stringify({ ...kustomization, components, patches }))
    const { code, stdout, stderr } = runCommand(folder, ['check', 'kind'])
    expect(stdout + stderr).toMatch(/^kind .* passed, 3 exempted$/m)
    expect(code).toBe(0)
  })
})

describe.each(['staging', 'prod'])('the component backup in %s', (name) => {
  it('gives restore-redis, which loads all keys, the memory of Redis', async () => {
    const objects = await objectsOf(`overlays/${name}`)
    const memory = ['template', 'spec', 'containers', 0, 'resources', 'limits', 'memory']
    const limit = at(objects.get('CronJob restore-redis'), 'spec', 'jobTemplate', 'spec', ...memory)
    expect(limit).toBe(at(objects.get('StatefulSet redis'), 'spec', ...memory))
    expect(limit).toMatch(/^\d+[MG]i$/)
  })
})

describe('the component tracing', () => {
  it('lets each service out to its receiver, where the endpoint says, and adds nothing else', async () => {
    const [prod, traced] = [await objectsOf('overlays/prod'), await objectsOf('test/overlays/tracing')]
    const services = ['collector', 'gateway', 'worker']
    for (const service of services) {
      const config = [...traced].find(([key]) => key.startsWith(`ConfigMap ${service}-config-`))?.[1]
      const endpoint = new URL(String(at(config, 'data', 'OTEL_EXPORTER_OTLP_ENDPOINT')))
      const [name, namespace] = endpoint.hostname.split('.')
      expect(at(traced.get(`NetworkPolicy ${service}-to-opentelemetry-collector`), 'spec')).toEqual({
        podSelector: { matchLabels: { 'app.kubernetes.io/name': service } },
        policyTypes: ['Egress'],
        egress: [
          {
            to: [
              {
                namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
                podSelector: { matchLabels: { 'app.kubernetes.io/name': name } },
              },
            ],
            ports: [{ port: Number(endpoint.port), protocol: 'TCP' }],
          },
        ],
      })
    }
    const others = [...traced.keys()].filter((key) => !prod.has(key) && !key.startsWith('ConfigMap '))
    expect(others.sort()).toEqual(services.map((service) => `NetworkPolicy ${service}-to-opentelemetry-collector`))
  })
})

/** The objects that a kustomization renders, by kind and name. */
async function objectsOf(folder: string): Promise<Map<string, unknown>> {
  const rendering = await render(kustomizationTarget(folder), root)
  if ('finding' in rendering) throw new Error(rendering.finding.message)
  const objects = parseAllDocuments(rendering.manifests).map((document) => document.toJS())
  return new Map(objects.map((object) => [`${at(object, 'kind')} ${at(object, 'metadata', 'name')}`, object]))
}
