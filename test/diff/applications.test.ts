import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { applicationChanges } from '../../scripts/lib/diff/applications.ts'

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

const told = (before: string, after: string) =>
  applicationChanges(before, after).map(({ application, action, risk }) => `${application} ${action} ${risk}`)

it('finds nothing where nothing differs', () => {
  expect(told(repository(set(['dev'])), repository(set(['dev'])))).toEqual([])
})

it('tells which Applications a set makes and which it deletes with all they made', () => {
  expect(told(repository(set(['dev', 'prod'])), repository(set(['dev', 'test'])))).toEqual([
    'shop-prod delete critical',
    'shop-test create medium',
  ])
})

it('knows the policies that keep an Application, or what it has made', () => {
  const keeps = { applicationsSync: 'create-update' }
  expect(told(repository(set(['dev', 'prod'], keeps)), repository(set(['dev'], keeps)))).toEqual([
    'shop-prod keep medium',
  ])
  const preserves = { preserveResourcesOnDeletion: true }
  expect(told(repository(set(['dev', 'prod'], preserves)), repository(set(['dev'], preserves)))).toEqual([
    'shop-prod delete high',
  ])
})

it('tells which Applications a change of the template or of their project concerns', () => {
  expect(
    told(repository(set(['dev', 'prod'])), repository(set(['dev', 'prod'], {}, 'other/{{ .environment }}'))),
  ).toEqual(['shop-dev change medium', 'shop-prod change medium'])
  const [change] = applicationChanges(
    repository(set(['dev']), project(['a'])),
    repository(set(['dev']), project(['b'])),
  )
  expect(change?.reasons).toContain('its AppProject shop has changed: sourceRepos')
})
