import { describe, expect, it } from 'vitest'
import { applicationsOf, foldersNamed, globMatches } from '#kubernetes/argocd/applications.ts'
import { createEnvironment } from '#kubernetes/model/environment.ts'
import { type KubeObject, toObject } from '#kubernetes/model/objects.ts'
import { runCommand, scratchRepository } from '../../support/repository.ts'

const application = (name: string, path: string, namespace = `shop-${name}`) => `
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: ${name}, namespace: argocd}
spec:
  project: shop
  source: {repoURL: "https://github.com/example/shop.git", path: ${path}, targetRevision: main}
  destination: {server: "https://kubernetes.default.svc", namespace: ${namespace}}
  ignoreDifferences: [{group: apps, kind: Deployment, jsonPointers: [/spec/replicas]}]
`
const project = (whitelist: string) => `
apiVersion: argoproj.io/v1alpha1
kind: AppProject
metadata: {name: shop, namespace: argocd}
spec:
  sourceRepos: ["https://github.com/example/*"]
  destinations: [{server: "*", namespace: "shop-*"}]
  clusterResourceWhitelist: ${whitelist}
`
const environment = (name: string, data: string) => ({
  [`overlays/${name}/kustomization.yaml`]: `namespace: shop-${name}\nresources: [namespace.yaml, map.yaml]\n`,
  [`overlays/${name}/namespace.yaml`]: `apiVersion: v1\nkind: Namespace\nmetadata: {name: shop-${name}}\n`,
  [`overlays/${name}/map.yaml`]: `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: ${data}\n`,
})

describe('what is checked together', () => {
  it('is held together: environments to one another, and to what Argo CD is given', () => {
    const repository = scratchRepository({
      'check.yaml': `
parity: [staging, prod]
delivery: {folders: [argocd], repositories: ["https://github.com/example/shop.git"]}
provided: [{kind: Namespace, name: argocd, by: somebody}]
`,
      'promotion.yaml': 'order: [staging, prod]\n',
      ...environment('staging', '{PORT: "80"}'),
      ...environment('prod', '{PORT: "8080", DEBUG: "1"}'),
      'argocd/kustomization.yaml': 'resources: [project.yaml, staging.yaml, prod.yaml, gone.yaml]\n',
      'argocd/project.yaml': project('[]'),
      'argocd/staging.yaml': application('staging', 'overlays/staging'),
      'argocd/prod.yaml': application('prod', './overlays/prod/'),
      'argocd/gone.yaml': application('gone', 'overlays/gone', 'kube-system'),
    })
    const { stdout, code } = runCommand(repository, ['check', '--format', 'json'])
    const { targets } = JSON.parse(stdout) as {
      targets: { target: string; findings: { rule: string; object: string; source: { file: string } }[] }[]
    }
    const found = targets.map(({ target, findings }) => [
      target,
      findings.map(({ rule, object, source }) => `${rule} ${object} ${source.file}`).sort(),
    ])
    expect(found).toEqual([
      ['staging', ['project-admits-objects Namespace shop-staging overlays/staging/namespace.yaml']],
      [
        'prod',
        [
          'parity ConfigMap shop-prod/web overlays/prod/map.yaml',
          'project-admits-objects Namespace shop-prod overlays/prod/namespace.yaml',
        ],
      ],
      [
        'argocd',
        [
          'application-path Application argocd/gone argocd/gone.yaml',
          'application-project Application argocd/gone argocd/gone.yaml',
          'ignore-differences-match Application argocd/prod argocd/prod.yaml',
          'ignore-differences-match Application argocd/staging argocd/staging.yaml',
        ],
      ],
    ])
    expect(code).toBe(1)
  })
})

describe('a folder that an Application names', () => {
  const buildable = (files: Record<string, string>) => {
    const objects = [
      toObject({
        apiVersion: 'argoproj.io/v1alpha1',
        kind: 'Application',
        metadata: { name: 'shop' },
        spec: { source: { repoURL: 'x', path: 'app' } },
      }),
    ]
    return foldersNamed(objects as KubeObject[], scratchRepository(files)).map(({ name }) => name)
  }
  it.each([
    [
      'with a kustomization whose entries are there',
      {
        'app/kustomization.yaml': 'resources:\n  # why\n  - a.yaml\n  - ../base\n',
        'app/a.yaml': '',
        'base/kustomization.yaml': 'resources:\n- b.yaml\n',
        'base/b.yaml': '',
      },
    ],
    [
      'with a remote base',
      { 'app/kustomization.yaml': 'resources:\n  - https://github.com/a/b//c?ref=v1\n  - github.com/a/b?ref=v1\n' },
    ],
    ['with manifests alone', { 'app/a.yaml': '' }],
    ['with a chart', { 'app/Chart.yaml': '' }],
  ])('%s can be built', (_, files) => {
    expect(buildable(files)).toEqual(['app'])
  })
  it.each([
    ['that is not there', { 'other/a.yaml': '' }],
    [
      'that holds itself',
      { 'app/kustomization.yaml': 'resources:\n  - ../b\n', 'b/kustomization.yaml': 'resources:\n  - ../app\n' },
    ],
    ['with nothing to render', { 'app/README.md': '' }],
    ['with a kustomization that names what is not there', { 'app/kustomization.yaml': 'resources:\n  - a.yaml\n' }],
    [
      'with a base that names what is not there',
      { 'app/kustomization.yaml': 'components:\n- ../base\n', 'base/kustomization.yaml': 'resources:\n  - b.yaml\n' },
    ],
  ])('%s can not', (_, files) => {
    expect(buildable(files)).toEqual([])
  })
})

it.each([
  ['*', 'a/b', '/', true],
  ['a/*', 'a/b', '/', true],
  ['a/*', 'a/b/c', '/', false],
  ['a/**', 'a/b/c', '/', true],
  ['a*', 'a/b', '', true],
  ['shop-?', 'shop-1', '', true],
  ['shop-?', 'shop-10', '', false],
  ['a.b', 'axb', '', false],
  ['shop-{a,b}', 'shop-a', '', undefined],
] as const)('the pattern %s of a project against %s', (pattern, value, separator, expected) => {
  expect(globMatches(pattern, value, separator)).toBe(expected)
})

it.each([
  [
    'a bomb',
    'a: &a [1,1]\nb: &b [*a,*a]\n'.concat(
      ...Array.from(
        { length: 30 },
        (_, index) =>
          `k${index}: &k${index} [*${index === 0 ? 'b' : `k${index - 1}`},*${index === 0 ? 'b' : `k${index - 1}`}]\n`,
      ),
    ),
  ],
  ['a list', '- a'],
  ['no YAML', '{'],
  ['an open template', '{{ .environment'],
])('an ApplicationSet whose template patch is %s is read without it', (_, templatePatch) => {
  const set = toObject({
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'ApplicationSet',
    metadata: { name: 'shop' },
    spec: {
      goTemplate: true,
      generators: [{ list: { elements: [{ environment: 'prod' }, 7, null] } }, 5],
      template: {
        metadata: { name: '{{ .environment }}' },
        spec: { project: 'shop', destination: 'x', source: { path: 5, repoURL: [] } },
      },
      templatePatch,
    },
  }) as KubeObject
  const [first] = applicationsOf(createEnvironment('argocd', [set]))
  expect(first).toMatchObject({ name: 'prod', spec: { project: 'shop' } })
})
