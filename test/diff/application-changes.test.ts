import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { applicationChanges } from '#diff/application-changes.ts'
import { changeText } from '#diff/outline.ts'
import { fillTemplate, TemplateFault } from '#kubernetes/argocd/go-template.ts'

const folder = mkdtempSync(join(tmpdir(), 'applications-test-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let count = 0

/** Writes objects into a repository of their own. */
function repository(...objects: object[]): string {
  const path = join(folder, String(count++))
  mkdirSync(join(path, 'argocd/environments'), { recursive: true })
  writeFileSync(join(path, 'argocd/environments/all.yaml'), objects.map((object) => stringify(object)).join('---\n'))
  return path
}

const set = (names: readonly string[], policy: object = {}, path = 'overlays/{{ .environment }}') => ({
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'ApplicationSet',
  metadata: { name: 'environments' },
  spec: {
    goTemplate: true,
    goTemplateOptions: ['missingkey=error'],
    generators: [{ list: { elements: names.map((environment) => ({ environment })) } }],
    syncPolicy: policy,
    template: { metadata: { name: 'shop-{{ .environment }}' }, spec: { project: 'shop', source: { path } } },
  },
})
const project = (repos: readonly string[]) => ({
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'AppProject',
  metadata: { name: 'shop' },
  spec: { sourceRepos: repos },
})

const changesIn = (before: string, after: string) =>
  applicationChanges(before, after).map(({ application, action, risk }) => `${application} ${action} ${risk}`)

it('finds nothing where nothing differs', () => {
  expect(changesIn(repository(set(['dev'])), repository(set(['dev'])))).toEqual([])
})

it('lists the Applications that a set generates and those that it deletes with all their resources', () => {
  expect(changesIn(repository(set(['dev', 'prod'])), repository(set(['dev', 'test'])))).toEqual([
    'shop-prod delete critical',
    'shop-test create medium',
  ])
})

it('respects the policies that keep an Application or its resources', () => {
  const keeps = { applicationsSync: 'create-update' }
  expect(changesIn(repository(set(['dev', 'prod'], keeps)), repository(set(['dev'], keeps)))).toEqual([
    'shop-prod keep medium',
  ])
  const preserves = { preserveResourcesOnDeletion: true }
  expect(changesIn(repository(set(['dev', 'prod'], preserves)), repository(set(['dev'], preserves)))).toEqual([
    'shop-prod delete high',
  ])
})

it('lists the Applications that a change of the template or of their project affects', () => {
  expect(
    changesIn(repository(set(['dev', 'prod'])), repository(set(['dev', 'prod'], {}, 'other/{{ .environment }}'))),
  ).toEqual(['shop-dev change medium', 'shop-prod change medium'])
  const [change] = applicationChanges(
    repository(set(['dev']), project(['a'])),
    repository(set(['dev']), project(['b'])),
  )
  expect(change?.reasons).toContain('its AppProject shop has changed: sourceRepos')
  const [orphan] = applicationChanges(repository(set(['dev']), project(['a'])), repository(set(['dev'])))
  expect(orphan?.reasons).toContain('its AppProject shop is removed: Argo CD no longer syncs it')
})

/** A set whose patch gives some environments another sync policy. */
const patched = (elements: readonly object[], templatePatch: string) => {
  const one = set([])
  return { ...one, spec: { ...one.spec, generators: [{ list: { elements } }], templatePatch } }
}
const automatic = '{{- if .automated }}\nspec:\n  syncPolicy:\n    automated: {prune: true}\n{{- end }}\n'
const changesOf = (before: object, after: object) =>
  applicationChanges(repository(before), repository(after)).map(({ application, action, changes }) => [
    application,
    action,
    changes.map(changeText),
  ])

it('evaluates the template patch: which Applications it changes, and how', () => {
  const elements = (prod: boolean) => [
    { environment: 'dev', automated: true },
    { environment: 'prod', automated: prod },
  ]
  expect(changesOf(patched(elements(false), automatic), patched(elements(true), automatic))).toEqual([
    ['shop-prod', 'change', ['spec.syncPolicy: + {"automated":{"prune":true}}']],
  ])
  // The same condition written differently generates the same Applications.
  const other = automatic.replace('.automated', 'eq .environment "dev"')
  expect(changesOf(patched(elements(false), automatic), patched(elements(false), other))).toEqual([])
  const moves = '{{ if eq .environment "prod" }}{metadata: {name: main}}{{ end }}'
  expect(changesOf(patched(elements(false), ''), patched(elements(false), moves))).toEqual([
    ['main', 'create', []],
    ['shop-prod', 'delete', []],
  ])
})

it('reports what it cannot evaluate, and still shows that it changes', () => {
  const elements = [{ environment: 'dev' }]
  const [change] = applicationChanges(
    repository(patched(elements, automatic)),
    repository(patched(elements, automatic.replace('true', 'false'))),
  )
  expect(change?.reasons.join()).toContain('unknown: there is no parameter .automated')
  expect(change?.changes.map(({ path }) => path[0])).toEqual(['templatePatch'])
  const broken = applicationChanges(repository(patched(elements, '')), repository(patched(elements, 'a: {')))
  expect(broken[0]?.reasons.join()).toContain('its template patch is not YAML')
  const loop = applicationChanges(
    repository(patched(elements, '')),
    repository(patched(elements, '{{ range .list }}x{{ end }}')),
  )
  expect(loop[0]?.reasons.join()).toContain('{{ range .list }} is not supported')
})

it('does not evaluate a cluster generator, and shows its template as written', () => {
  const clusters = (path: string) => {
    const one = set([], {}, path)
    return {
      ...one,
      spec: { ...one.spec, generators: [{ clusters: {} }], templatePatch: '{{ if .values.x }}spec: {}{{ end }}' },
    }
  }
  expect(changesIn(repository(clusters('a/{{ .name }}')), repository(clusters('b/{{ .name }}')))).toEqual([
    'shop-{{ .environment }} change medium',
  ])
})

it.each([
  ['a-{{ .environment }}-b', 'a-dev-b'],
  ['x\n{{- if .automated }}\nspec: 1\n{{- end }}\n', 'x\nspec: 1\n'],
  ['{{- if .off }}a{{- else if eq .environment "dev" }}\nb\n{{- else }}c{{- end }}', '\nb'],
  ['{{ index .labels "a/b" }}', 'x'],
  ['{{ if and .automated (not .off) }}y{{ else }}n{{ end }}', 'y'],
  ['{{ if or .off .empty }}y{{ else }}n{{ end }}', 'n'],
  ['{{ if eq .environment "a" "dev" }}y{{ end }}', 'y'],
  ['{{ if ne .environment "dev" }}y{{ end }}', ''],
  ['{{ .missing }}', '<no value>'],
  ['a  {{- /* note */ -}}  b', 'ab'],
  ['{{ if .zero }}y{{ else }}n{{ end }}', 'n'],
  ['{{ index .list 0 }}', 'p'],
  ['{{ .environment -}}  x', 'devx'],
  ['{{ and .environment .empty }}|{{ or .empty .environment }}', '|dev'],
])('fills %j as Go does', (template, expected) => {
  // The expected texts are those of Go 1.26's text/template.
  const parameters = {
    environment: 'dev',
    automated: true,
    off: false,
    empty: '',
    zero: 0,
    list: ['p'],
    labels: { 'a/b': 'x' },
  }
  expect(fillTemplate(template, parameters, false)).toBe(expected)
})

it.each(['{{ if .x }}', '{{ end }}', '{{ printf "%s" .a }}', '{{ $x := .a }}', '{{ (eq .a "b" }}'])(
  'rejects %j with an explanation',
  (template) => expect(() => fillTemplate(template, { a: 1, x: 1 }, true)).toThrow(TemplateFault),
)
