import { expect, it } from 'vitest'
import { deliveryChanges } from '#diff/delivery.ts'
import { scratchRepository } from '../support/repository.ts'

const application = (name: string, path: string) => `apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: ${name}, namespace: argocd}
spec: {project: platform, source: {repoURL: "https://git.shop.net/shop.git", path: ${path}}}
`
const files = {
  'argocd/kustomization.yaml': 'resources:\n  - applications\n',
  'argocd/applications/kustomization.yaml': 'resources:\n  - proxy.yaml\n  - operator.yaml\n',
  'argocd/applications/proxy.yaml': application('proxy', 'argocd/platform/proxy'),
  'argocd/applications/operator.yaml': application('operator', 'argocd/platform/operator'),
  'argocd/platform/proxy/kustomization.yaml': 'resources:\n  - account.yaml\n',
  'argocd/platform/proxy/account.yaml':
    'apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: proxy, namespace: proxy}\n',
  'argocd/platform/operator/kustomization.yaml': 'resources:\n  - https://git.shop.net/operator?ref=v1.0.0\n',
}

/** The folders that differ with their risk, and those that are not rendered. */
async function compare(after: Record<string, string>) {
  const { folders, unrendered } = await deliveryChanges(
    scratchRepository(files),
    scratchRepository({ ...files, ...after }),
  )
  return [
    folders.map(({ environment, risk, effects }) => [environment, risk, ...effects.map(({ object }) => object)]),
    unrendered.map((change) => change.application),
  ]
}

it('finds nothing where nothing differs, nor where a render stays the same', async () => {
  expect(await compare({})).toEqual([[], []])
  expect(await compare({ 'argocd/kustomization.yaml': '# why\nresources:\n  - applications\n' })).toEqual([[], []])
})

it('sees an Application that a kustomization no longer lists', async () => {
  const [folders] = await compare({ 'argocd/applications/kustomization.yaml': 'resources:\n  - operator.yaml\n' })
  expect(folders).toEqual([['argocd', 'high', 'Application argocd/proxy']])
})

it('sees what a folder of the platform renders', async () => {
  const account = files['argocd/platform/proxy/account.yaml'].replace('name: proxy', 'name: other')
  const [folders] = await compare({ 'argocd/platform/proxy/account.yaml': account })
  expect(folders?.map((parts) => parts.slice(0, 2))).toEqual([['argocd/platform/proxy', 'high']])
})

it('never finds a difference without any risk', async () => {
  const labelled = application('proxy', 'argocd/platform/proxy').replace('{name', '{labels: {a: b}, name')
  const [folders] = await compare({ 'argocd/applications/proxy.yaml': labelled })
  expect(folders?.map((parts) => parts.slice(0, 2))).toEqual([['argocd', 'low']])
})

it('says that it does not render a remote base', async () => {
  const kustomization = files['argocd/platform/operator/kustomization.yaml'].replace('v1.0.0', 'v2.0.0')
  expect(await compare({ 'argocd/platform/operator/kustomization.yaml': kustomization })).toEqual([
    [],
    ['argocd/platform/operator'],
  ])
})

it('reports what does not render', async () => {
  const { folders } = await deliveryChanges(
    scratchRepository(files),
    scratchRepository({ ...files, 'argocd/kustomization.yaml': 'resources:\n  - nothing\n' }),
  )
  expect(folders).toMatchObject([{ environment: 'argocd', risk: 'high', broken: { side: 'merge' } }])
})
