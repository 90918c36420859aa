import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Path } from '#kubernetes/model/finding.ts'
import { formatSource } from '#kubernetes/model/finding.ts'
import { toObject } from '#kubernetes/model/objects.ts'
import { locateInFile, locateInKustomization } from '#manifests/source-locations/index.ts'
import { scratchRepository } from '../support/repository.ts'

const deployment = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  template:
    metadata:
      labels: {place: here}
    spec:
      hostname: web.here
      containers:
        - name: log
          image: log:1
        - name: web
          image: web:1
          ports:
            - containerPort: 80
            - containerPort: 8080
          args: [one, two]
`

const files = {
  'base/kustomization.yaml': `resources:
  - deployment.yaml
configMapGenerator:
  - name: settings
    literals:
      - MODE=fast
    envs: [settings.env]
    files: [app.conf, web.conf=other.conf]
`,
  'base/settings.env': '# how fast\n\nSPEED = 3\nMODES=2\n',
  'base/app.conf': 'a 1\n',
  'base/other.conf': 'b 2\n',
  'base/deployment.yaml': deployment,
  'components/versions/kustomization.yaml': `apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
replacements:
  - source: {kind: Versions, fieldPath: spec.images.web}
    targets:
      - select: {kind: Deployment, name: web}
        fieldPaths: ["spec.template.spec.containers.[name=web].image"]
`,
  'components/environment/kustomization.yaml': 'resources:\n  - replacements.yaml\n  - absent.yaml\n',
  'components/environment/replacements.yaml': `apiVersion: builtin
kind: ReplacementTransformer
metadata: {name: environment}
replacements:
  - source: {kind: Namespace}
    targets:
      - select: {kind: Deployment, name: web}
        fieldPaths: [spec.template.metadata.labels.place]
      - select: {kind: Deployment, name: web}
        fieldPaths: [spec.template.spec.hostname]
        options: {delimiter: ., index: 1}
`,
  'overlays/dev/versions.yaml': `apiVersion: example.com/v1
kind: Versions
metadata:
  name: versions
  annotations: {config.kubernetes.io/local-config: "true"}
spec:
  images:
    web: web:2
`,
  'overlays/dev/replicas.yaml': `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 3
  template:
    spec:
      containers:
        - name: web
          env:
            - name: A
              value: b
`,
  'overlays/dev/kustomization.yaml': `namespace: dev
resources:
  - ../../base
  - versions.yaml
components:
  - ../../components/versions
transformers:
  - ../../components/environment
patches:
  - path: replicas.yaml
  - target: {kind: Deployment, name: web}
    patch: |
      - op: add
        path: /spec/paused
        value: true
`,
}

const rendered = toObject({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'dev' },
  spec: {
    replicas: 3,
    paused: true,
    template: {
      metadata: { labels: { place: 'dev' } },
      spec: {
        hostname: 'web.dev',
        containers: [
          { name: 'log', image: 'log:1' },
          {
            name: 'web',
            image: 'web:2',
            args: ['one', 'two'],
            env: [{ name: 'A', value: 'b' }],
            ports: [{ containerPort: 80 }, { containerPort: 8080 }],
          },
        ],
      },
    },
  },
})
if (rendered === undefined) throw new Error('the object under test is an object')

describe('locateInKustomization', () => {
  const container: Path = ['spec', 'template', 'spec', 'containers', 1]
  const cases: [string, Path, string][] = [
    ['a value of the base', ['spec', 'template', 'spec', 'containers', 0, 'image'], 'base/deployment.yaml:13'],
    ['a list item, by what identifies it', [...container, 'ports', 1], 'base/deployment.yaml:18'],
    ['a plain list item', [...container, 'args', 1], 'base/deployment.yaml:19'],
    ['a value that a patch sets', ['spec', 'replicas'], 'overlays/dev/replicas.yaml:6'],
    ['an item that a patch adds', [...container, 'env', 0, 'value'], 'overlays/dev/replicas.yaml:13'],
    ['a value that a JSON patch sets', ['spec', 'paused'], 'overlays/dev/kustomization.yaml:15'],
    ['a value that a replacement copies', [...container, 'image'], 'overlays/dev/versions.yaml:8'],
    [
      'a value that a transformer copies from the Namespace',
      ['spec', 'template', 'metadata', 'labels', 'place'],
      'overlays/dev/kustomization.yaml:1',
    ],
    ['a value of which a part is replaced', ['spec', 'template', 'spec', 'hostname'], 'base/deployment.yaml:10'],
    ['what is missing, by its nearest parent', [...container, 'ports', 0, 'name'], 'base/deployment.yaml:17'],
  ]
  it.each(cases)('finds %s', (_what, path, expected) => {
    const folder = scratchRepository(files)
    const source = locateInKustomization(join(folder, 'overlays/dev'), folder)(rendered, path)
    expect(source && formatSource(source)).toBe(expected)
  })

  it.each([
    ['a literal', 'MODE', 'base/kustomization.yaml:6'],
    ['a line of an env file', 'SPEED', 'base/settings.env:3'],
    ['a file', 'app.conf', 'base/app.conf:1'],
    ['a file under another name', 'web.conf', 'base/other.conf:1'],
    ['a key that nothing shows', 'GONE', 'base/kustomization.yaml:4'],
  ])('finds %s of a generator, by the hashed name', (_what, key, expected) => {
    const folder = scratchRepository(files)
    const object = toObject({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'settings-5h2f9k', namespace: 'dev' },
      data: { [key]: 'fast' },
    })
    const source = object && locateInKustomization(join(folder, 'overlays/dev'), folder)(object, ['data', key])
    expect(source && formatSource(source)).toBe(expected)
  })
})

describe('locateInFile', () => {
  it('finds the line in the right document', () => {
    const content = `apiVersion: v1\nkind: Service\nmetadata: {name: web}\n---\n${deployment}`
    const source = locateInFile('all.yaml', content)(rendered, ['spec', 'template', 'spec', 'containers', 1, 'image'])
    expect(source && formatSource(source)).toBe('all.yaml:19')
  })
})

it('distinguishes objects of one name in several namespaces, and finds the items of a List', () => {
  const service = (namespace: string) =>
    `kind: Service\nmetadata: {name: web, namespace: ${namespace}}\nspec: {type: x}\n`
  const content = `${service('one')}---\n${service('two')}---\nkind: List\nitems:\n  - kind: Secret\n    metadata: {name: web}\n    type: x\n`
  const locate = locateInFile('all.yaml', content)
  const object = (kind: string, namespace: string) => {
    const found = toObject({
      apiVersion: 'v1',
      kind,
      metadata: { name: 'web', namespace },
      spec: { type: 'x' },
      type: 'x',
    })
    if (found === undefined) throw new Error('not an object')
    return found
  }
  expect(locate(object('Service', 'one'), ['spec', 'type'])?.line).toBe(3)
  expect(locate(object('Service', 'two'), ['spec', 'type'])?.line).toBe(7)
  expect(locate(object('Secret', ''), ['type'])?.line).toBe(13)
})

it('names line and column of what an inline patch sets', () => {
  const patch = `patches:
  - patch: |-
      apiVersion: apps/v1
      kind: Deployment
      metadata:
        name: web
      spec:
        replicas: 3
`
  const folder = scratchRepository({ 'kustomization.yaml': patch })
  const web = toObject({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' }, spec: { replicas: 3 } })
  if (web === undefined) throw new Error('not an object')
  expect(locateInKustomization(folder, folder)(web, ['spec', 'replicas'])).toEqual({
    file: 'kustomization.yaml',
    line: 8,
    column: 9,
  })
})
