import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { root } from '#cli/paths.ts'
import { platform } from '#cluster/platform.ts'
import { at, items, text, type Value } from '#kubernetes/model/objects.ts'
import { promotionOrder, render } from '#manifests/kustomize.ts'
import { runCommand } from '../support/repository.ts'

const read = (path: string) => parse(readFileSync(join(root, path), 'utf8')) as Value
/** The objects that kustomize renders of a folder without remote bases. */
async function rendered(folder: string): Promise<Value[]> {
  const outcome = await render({ name: folder, folder: join(root, folder) }, root)
  if ('finding' in outcome) throw new Error(outcome.finding.message)
  return outcome.manifests.split(/^---$/m).map((document) => parse(document) as Value)
}
const ofKind = (objects: readonly Value[], kind: string) => objects.filter((object) => at(object, 'kind') === kind)
const nameOf = (object: Value) => text(at(object, 'metadata', 'name')) ?? ''

describe('what Argo CD is given', () => {
  // The other parts of the platform have remote bases: `npm run up` renders those.
  it.each([
    'argocd',
    'argocd/clusters',
    'argocd/kind/environment',
    'argocd/platform/prometheus',
    'argocd/kind/prometheus',
  ])('%s passes schemas and rules', (folder) => {
    const { code, stdout, stderr } = runCommand(root, ['check', '--kustomize', folder])
    expect(stdout + stderr).toMatch(/passed$/m)
    expect(code).toBe(0)
  })

  it.each(['argocd', 'argocd/clusters'])('%s keeps its Applications within their projects', async (folder) => {
    const objects = [...(await rendered(folder)), ...(await rendered('argocd/kind/environment'))]
    const projects = new Map(ofKind(objects, 'AppProject').map((project) => [nameOf(project), project]))
    for (const application of ofKind(objects, 'Application')) {
      const project = projects.get(text(at(application, 'spec', 'project')) ?? '')
      expect(project, nameOf(application)).toBeDefined()
      const destination = at(application, 'spec', 'destination')
      expect(items(at(project, 'spec', 'destinations'))).toContainEqual(destination)
      expect(items(at(project, 'spec', 'sourceRepos'))).toContain(at(application, 'spec', 'source', 'repoURL'))
      const path = text(at(application, 'spec', 'source', 'path'))
      if (path !== undefined) expect(readdirSync(join(root, path))).toContain('kustomization.yaml')
    }
  })

  it('has a project for each environment, and prod alone is synced by people within a window', async () => {
    const objects = await rendered('argocd')
    // As it is where all are in one cluster; `argocd` may have ../clusters in its place.
    const [set] = ofKind(await rendered('argocd/environments'), 'ApplicationSet')
    const elements = items(at(set, 'spec', 'generators', 0, 'list', 'elements'))
    // promotion.yaml has the order; what it does not name, such as kind, is not delivered.
    const order = promotionOrder(root)
    expect(elements.map((element) => at(element, 'environment'))).toEqual(order)
    for (const element of elements) {
      const name = at(element, 'environment')
      const project = ofKind(objects, 'AppProject').find((candidate) => nameOf(candidate) === `inference-${name}`)
      expect(at(project, 'spec', 'destinations', 0, 'namespace')).toBe(`inference-${name}`)
      expect(at(element, 'automated')).toBe(name !== order.at(-1))
      expect(at(project, 'spec', 'syncWindows') !== undefined).toBe(name === order.at(-1))
    }
  })

  it('never deletes what runs because a generator forgot it', async () => {
    for (const folder of ['argocd', 'argocd/clusters']) {
      const [set] = ofKind(await rendered(folder), 'ApplicationSet')
      expect(at(set, 'spec', 'goTemplateOptions')).toEqual(['missingkey=error'])
      expect(at(set, 'spec', 'syncPolicy')).toEqual({
        applicationsSync: 'create-update',
        preserveResourcesOnDeletion: true,
      })
    }
  })

  it('reads from a registered cluster only what the generator provides', async () => {
    const [set] = ofKind(await rendered('argocd/clusters'), 'ApplicationSet')
    const template = JSON.stringify([at(set, 'spec', 'template'), at(set, 'spec', 'templatePatch')])
    const actions = template.match(/\{\{.*?\}\}/g) ?? []
    const read = actions.flatMap((action) => action.match(/(?<= )\.[a-zA-Z]+/g) ?? [])
    expect([...new Set(read)].sort()).toEqual(['.metadata', '.name', '.nameNormalized', '.values'])
  })

  it('installs with `npm run up` all that the Applications install without a Helm chart', async () => {
    const paths = ofKind(await rendered('argocd'), 'Application').flatMap(
      (application) => text(at(application, 'spec', 'source', 'path')) ?? [],
    )
    const variants = (path: string) => [path, path.replace('platform', 'kind'), path.replace('install', 'kind/argo-cd')]
    const missing = paths.filter(
      (path) => path !== 'argocd' && !variants(path).some((variant) => platform.includes(variant)),
    )
    expect(missing).toEqual([])
  })

  it('asks for confirmation before a namespace goes', () => {
    for (const file of ['argocd/install', 'argocd/platform/prometheus-operator', 'argocd/platform/traefik'])
      expect(at(read(`${file}/namespace.yaml`), 'metadata', 'annotations', 'argocd.argoproj.io/sync-options')).toBe(
        'Prune=confirm,Delete=confirm',
      )
  })
})
