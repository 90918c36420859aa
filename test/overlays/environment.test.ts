import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { root } from '#cli/paths.ts'
import { at } from '#kubernetes/model/objects.ts'
import { render } from '#manifests/kustomize.ts'
import { validator } from '#system/json-schema.ts'
import { scratchRepository } from '../support/repository.ts'

const names = readdirSync(join(root, 'overlays'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)

describe('environment.yaml', () => {
  it.each(names)('of %s conforms to its schema', async (name) => {
    const check = await validator(JSON.parse(readFileSync(join(root, 'overlays/environment.schema.json'), 'utf8')))
    check(parse(readFileSync(join(root, `overlays/${name}/environment.yaml`), 'utf8')))
    expect(check.errors ?? []).toEqual([])
  })

  it('sets the host and the bounds of the scalers', async () => {
    const objects = await stagingWith([
      ['host: .*', 'host: new.example.com'],
      ['minReplicas: 2', 'minReplicas: 7'],
      ['maxReplicas: 4\n  worker', 'maxReplicas: 8\n  worker'],
      ['minReplicas: 1', 'minReplicas: 3'],
      ['maxReplicas: 4\n    fall', 'maxReplicas: 9\n    fall'],
      ['fallbackReplicas: 1', 'fallbackReplicas: 5'],
    ])
    const listeners = at(objects.get('Gateway inference'), 'spec', 'listeners') as { hostname: string }[]
    expect(listeners.map(({ hostname }) => hostname)).toEqual(['new.example.com', 'new.example.com'])
    const spec = { minReplicas: 7, maxReplicas: 8 }
    expect(objects.get('HorizontalPodAutoscaler gateway')).toMatchObject({ spec })
    const bounds = { minReplicaCount: 3, maxReplicaCount: 9, fallback: { replicas: 5 } }
    expect(objects.get('ScaledObject worker')).toMatchObject({ spec: bounds })
    expect([...objects.keys()].filter((key) => /^(Environment|Versions) /.test(key))).toEqual([])
  })

  it('sets the host of the Ingress, too', async () => {
    const objects = await stagingWith([['host: .*', 'host: new.example.com']], 'ingress')
    const spec = { tls: [{ hosts: ['new.example.com'] }], rules: [{ host: 'new.example.com' }] }
    expect(objects.get('Ingress gateway')).toMatchObject({ spec })
  })
})

it('the namespace of an overlay is the path and role in Vault, part of the broker address, and a label', async () => {
  const objects = await stagingWith([], '', ['namespace: &environment inference-staging', 'namespace: &environment qa'])
  const vault = { path: 'qa', auth: { kubernetes: { role: 'qa' } } }
  expect(objects.get('SecretStore environment')).toMatchObject({ spec: { provider: { vault } } })
  const triggers = [{ metadata: { host: 'http://rabbitmq.qa.svc.cluster.local:15672/' } }]
  expect(objects.get('ScaledObject worker')).toMatchObject({ spec: { triggers } })
  const labels = { 'app.kubernetes.io/instance': 'qa' }
  expect(objects.get('Namespace qa')).toMatchObject({ metadata: { labels } })
})

/** The objects of staging by kind and name, after edits of its environment.yaml and kustomization.yaml. */
async function stagingWith(
  edits: readonly (readonly [string, string])[],
  component = '',
  namespace: readonly [string, string] = ['', ''],
): Promise<Map<string, unknown>> {
  const folder = scratchRepository({})
  for (const part of ['base', 'components', 'overlays'])
    cpSync(join(root, part), join(folder, part), { recursive: true })
  const overlay = join(folder, 'overlays/staging')
  edit(join(overlay, 'environment.yaml'), edits)
  const added = component === '' ? '' : `  - ../../components/${component}\n`
  edit(join(overlay, 'kustomization.yaml'), [namespace, ['components:\n', `components:\n${added}`]])
  const rendering = await render({ name: 'staging', folder: overlay }, folder)
  if ('finding' in rendering) throw new Error(rendering.finding.message)
  const objects = parseAllDocuments(rendering.manifests).map((document) => document.toJS())
  return new Map(objects.map((object) => [`${at(object, 'kind')} ${at(object, 'metadata', 'name')}`, object]))
}

function edit(file: string, edits: readonly (readonly [string, string])[]): void {
  let content = readFileSync(file, 'utf8')
  for (const [old, replacement] of edits) {
    expect(content).toMatch(new RegExp(old))
    content = content.replace(new RegExp(old), replacement)
  }
  writeFileSync(file, content)
}
