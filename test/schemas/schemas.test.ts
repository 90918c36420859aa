import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { root } from '#cli/paths.ts'
import { fields, type Value } from '#kubernetes/model/objects.ts'
import { run } from '#system/process.ts'
import { tool, tools } from '#system/tools.ts'
import { share, toJsonSchema } from '#validation/api-server/openapi.ts'
import type { ServedKind } from '#validation/api-server/server.ts'
import { definitionSources } from '#validation/definition-sources.ts'

const folder = join(root, 'schemas')

function readJson(...path: string[]): Value {
  return JSON.parse(readFileSync(join(folder, ...path), 'utf8'))
}

// The command that the README gives, so that it cannot go stale.
const [, template = ''] =
  /-schema-location 'schemas\/([^']+)'/.exec(readFileSync(join(folder, 'README.md'), 'utf8')) ?? []

/** What kubeconform reports of an object with the committed schemas: `/json/pointer: message` for each innermost error. */
async function validate(value: Value): Promise<string[]> {
  const args = ['-strict', '-output', 'json', '-schema-location', join(folder, template), '-']
  const { stdout } = await run(await tool('kubeconform'), args, JSON.stringify(value))
  const { resources } = JSON.parse(stdout) as { resources: { msg: string }[] }
  return resources
    .flatMap(({ msg }) => {
      const errors = [...msg.matchAll(/- at '([^']*)': (.*?)(?=\s+- at '|$)/g)]
      return errors.length === 0 ? msg : errors.map(([, path, words]) => `${path}: ${words}`)
    })
    .filter((error) => !error.endsWith(': validation failed'))
}

function object(apiVersion: string, kind: string, rest: object): Value {
  return { apiVersion, kind, metadata: { name: 'web', namespace: 'test' }, ...rest }
}

function deployment(container: object, pod: object = {}, spec: object = {}): Value {
  const containers = [{ name: 'main', image: 'docker.io/library/redis:8.2.3', ...container }]
  const template = { metadata: { labels: { app: 'web' } }, spec: { containers, ...pod } }
  return object('apps/v1', 'Deployment', { spec: { selector: { matchLabels: { app: 'web' } }, template, ...spec } })
}

function scaledObject(spec: object): Value {
  const triggers = [{ type: 'rabbitmq', metadata: { value: '5' } }]
  return object('keda.sh/v1alpha1', 'ScaledObject', { spec: { scaleTargetRef: { name: 'web' }, triggers, ...spec } })
}

describe('what the API server takes', () => {
  it.each<[string, Value]>([
    ['a quantity that is a number', deployment({ resources: { limits: { cpu: 2, memory: '1.5Gi' } } })],
    [
      'every suffix',
      deployment({ resources: { limits: { a: '1Ki', b: '1E', c: '1e3', d: '.5', e: '100m', f: '-1', g: '1E-2' } } }),
    ],
    [
      'a port by number or name',
      deployment({ livenessProbe: { httpGet: { port: 8080 } }, readinessProbe: { httpGet: { port: 'http' } } }),
    ],
    [
      'a null where a field may be absent',
      deployment({ securityContext: null, command: null }, { nodeSelector: null }),
    ],
    ['a status', { ...fields(deployment({})), status: { replicas: 1, whatever: true } }],
    [
      'a null creationTimestamp',
      deployment({}, {}, { template: { metadata: { creationTimestamp: null }, spec: { containers: [] } } }),
    ],
    ['base64 in a Secret', object('v1', 'Secret', { data: { a: 'aGk=', b: '' }, stringData: { c: 'plain ✓' } })],
    [
      'any value in a Helm source of Argo CD',
      object('argoproj.io/v1alpha1', 'Application', {
        spec: {
          project: 'p',
          destination: {},
          source: { repoURL: 'x', helm: { valuesObject: { any: [1, { thing: true }] } } },
        },
      }),
    ],
    ['KEDA', scaledObject({ fallback: { failureThreshold: 3, replicas: 2, behavior: 'currentReplicasIfHigher' } })],
  ])('%s', async (_, value) => expect(await validate(value)).toEqual([]))
})

describe('what the API server refuses', () => {
  it.each<[string, Value, RegExp]>([
    [
      'an unknown field',
      deployment({ comand: ['x'] }),
      /^\/spec\/template\/spec\/containers\/0: .*additional.* 'comand' not allowed/,
    ],
    ['a wrong type', deployment({}, {}, { replicas: 'three' }), /^\/spec\/replicas: got string, want .*integer/],
    [
      'a missing field',
      object('apps/v1', 'Deployment', { spec: {} }),
      /^\/spec: missing properties 'selector', 'template'/,
    ],
    [
      'a malformed quantity',
      deployment({ resources: { limits: { memory: '512MB' } } }),
      /^\/spec\/template\/spec\/containers\/0\/resources\/limits\/memory: .*does not match pattern/,
    ],
    [
      'a value outside of an enum',
      deployment({ imagePullPolicy: 'Sometimes' }),
      /imagePullPolicy: value must be one of/,
    ],
    [
      'a number for text',
      deployment({ env: [{ name: 'PORT', value: 8080 }] }),
      /env\/0\/value: got number, want .*string/,
    ],
    [
      'a number for an annotation',
      object('v1', 'ConfigMap', { metadata: { name: 'web', annotations: { a: 1 } } }),
      /^\/metadata\/annotations\/a: got number, want string/,
    ],
    [
      'plain text as base64',
      object('v1', 'Secret', { data: { password: 'not base64!' } }),
      /^\/data\/password: .*does not match pattern/,
    ],
    [
      'an unknown field of a custom resource',
      scaledObject({ minReplicas: 1 }),
      /^\/spec: additional properties 'minReplicas' not allowed/,
    ],
    [
      'null in a custom resource',
      scaledObject({ minReplicaCount: null }),
      /^\/spec\/minReplicaCount: got null, want integer/,
    ],
    ['a kind that nobody serves', object('apps/v1beta1', 'Deployment', {}), /could not find schema for Deployment/],
  ])('%s', async (_, value, words) => {
    const found = await validate(value)
    expect(found).toHaveLength(1)
    expect(found[0]).toMatch(words)
  })
})

describe('the committed files', () => {
  const kinds = readJson('kinds.json') as ServedKind[]

  it('hold a schema for each kind, and no others', () => {
    const expected = kinds.map(
      ({ apiVersion, kind }) => `${apiVersion.includes('/') ? '' : 'core/'}${apiVersion}/${kind.toLowerCase()}.json`,
    )
    const present = readdirSync(join(folder, 'kinds'), { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.json'),
    )
    expect(present.sort()).toEqual(expected.sort())
  })

  it('say whether a kind is namespaced', () => {
    const scope = Object.fromEntries(kinds.map(({ kind, namespaced }) => [kind, namespaced]))
    expect(scope).toMatchObject({
      Deployment: true,
      Namespace: false,
      ClusterSecretStore: false,
      GatewayClass: false,
      ScaledObject: true,
    })
  })

  it('come from the pinned Kubernetes', () => {
    expect(readJson('source.json')).toMatchObject({ kubernetes: `v${tools['kube-apiserver'].version}` })
    expect(tools.kubectl.version).toBe(tools['kube-apiserver'].version)
  })

  it('come from the versions that the platform installs: npm run schemas brings them up to date', () => {
    const { definitions } = readJson('source.json') as { definitions: { name: string; version: string }[] }
    const pinned = definitionSources(root).map(({ name, version }) => ({ name, version }))
    expect(definitions.map(({ name, version }) => ({ name, version }))).toEqual(pinned)
  })

  it('keep the CEL rules and the approval that the API server needs', () => {
    const gateways = JSON.stringify(readJson('crds', 'gateways.gateway.networking.k8s.io.json'))
    expect(gateways).toContain('x-kubernetes-validations')
    expect(gateways).toContain('api-approved.kubernetes.io')
    expect(existsSync(join(folder, 'crds', 'scaledobjects.keda.sh.json'))).toBe(true)
  })
})

describe('the conversion of OpenAPI', () => {
  function convertSpec(spec: object, components: object = {}): Value {
    const schemas = { 'sh.keda.Thing': { type: 'object', properties: { spec } }, ...components }
    return fields(toJsonSchema({ components: { schemas } }, 'sh.keda.Thing').properties).spec
  }

  it('closes custom objects, but not those that keep unknown fields or those below anyOf', () => {
    expect(convertSpec({ type: 'object' })).toEqual({ type: 'object', additionalProperties: false })
    expect(convertSpec({ type: 'object', 'x-kubernetes-preserve-unknown-fields': true })).toEqual({ type: 'object' })
    const part = { properties: { a: { type: 'string' } }, required: ['a'] }
    expect(convertSpec({ type: 'object', properties: { a: { type: 'string' } }, anyOf: [part] })).toMatchObject({
      anyOf: [part],
      additionalProperties: false,
    })
  })

  it('knows nullable, int-or-string and sets', () => {
    expect(convertSpec({ type: 'string', nullable: true, enum: ['a'] })).toEqual({
      type: ['string', 'null'],
      enum: ['a', null],
    })
    expect(
      convertSpec({ 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }] }),
    ).toEqual({ type: ['integer', 'string'] })
    expect(convertSpec({ type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' })).toEqual({
      type: 'array',
      items: { type: 'string' },
      uniqueItems: true,
    })
  })

  it('does not let two types share a name', () => {
    const reference = (name: string) => ({ allOf: [{ $ref: `#/components/schemas/${name}` }] })
    const spec = { type: 'object', properties: { a: reference('x.core.v1.Pod'), b: reference('y.core.v1.Pod') } }
    expect(() => convertSpec(spec)).toThrow('x.core.v1.Pod and y.core.v1.Pod would both be named core.v1.Pod')
  })
})

describe('parts that repeat', () => {
  const part = { type: 'object', properties: { name: { type: 'string', pattern: 'a'.repeat(200) } } }
  it('appear once in the definitions, also within one another', () => {
    const outer = { type: 'object', properties: { one: part, two: part } }
    const shared = share({ properties: { a: outer, b: outer, properties: part }, items: { type: 'string' } })
    const [first, second] = ['shared.1', 'shared.2'].map((name) => ({ $ref: `#/definitions/${name}` }))
    expect(shared).toMatchObject({ properties: { a: first, b: first }, items: { type: 'string' } })
    expect(shared.definitions).toMatchObject({ 'shared.1': { properties: { one: second, two: second } } })
    expect(shared.properties).toMatchObject({ properties: second })
    expect(share(shared)).toEqual(shared)
  })
  it('stay where they are when they are short or appear once', () => {
    const schema = { properties: { a: { type: 'string' }, b: { type: 'string' }, c: part } }
    expect(share(schema)).toEqual(schema)
  })
  it('leave a map of properties a map, though another one is the same', () => {
    const map = { name: { type: 'string', pattern: 'a'.repeat(200) } }
    const shared = share({ properties: { a: { properties: map, minProperties: 1 }, b: { properties: map } } })
    expect(shared).toMatchObject({ properties: { a: { properties: { name: { $ref: '#/definitions/shared.1' } } } } })
  })
})
