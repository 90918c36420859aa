import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { UsageError } from '../errors.ts'
import { at, items } from '../objects.ts'
import { run } from '../process.ts'
import { tool } from '../tools.ts'
import type { Cluster } from './client.ts'
import { type Progress, waitUntil } from './progress.ts'

/** What stands before the first sync, in the order of the waves of argocd/applications. */
export const platform = [
  'argocd/platform/gateway-api',
  'argocd/kind/prometheus-operator',
  'argocd/kind/keda',
  'argocd/kind/metrics-server',
  'argocd/kind/traefik',
  'argocd/kind/prometheus',
  'argocd/platform/kube-state-metrics',
  'argocd/kind/dashboards',
  'argocd/kind/argo-cd',
]

/**
 * Renders a folder of the platform. Its remote bases are pinned by tag, so the result is kept in .cache/ until a file of argocd/ changes.
 * @throws UsageError with what kustomize said
 */
export async function renderPlatform(root: string, folder: string): Promise<string> {
  const kept = join(root, '.cache', 'platform', `${folder.replaceAll('/', '-')}-${fingerprint(root)}.yaml`)
  if (existsSync(kept)) return readFileSync(kept, 'utf8')
  const { code, stdout, stderr } = await run(await tool('kustomize'), ['build', join(root, folder)])
  if (code !== 0)
    throw new UsageError(
      `${folder} does not render; it needs git and the addresses that it names:\n  ${stderr.trim().replaceAll(`${root}/`, '')}`,
    )
  mkdirSync(join(root, '.cache', 'platform'), { recursive: true })
  writeFileSync(`${kept}.${process.pid}`, stdout)
  renameSync(`${kept}.${process.pid}`, kept)
  return stdout
}

function fingerprint(root: string): string {
  const hash = createHash('sha256')
  for (const folder of ['argocd/platform', 'argocd/install', 'argocd/kind'])
    for (const name of readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).sort()) {
      const path = join(root, folder, name)
      if (statSync(path).isFile()) hash.update(`${folder}/${name}\n${readFileSync(path, 'utf8')}`)
    }
  return hash.digest('hex').slice(0, 16)
}

/** The images that rendered manifests run. */
export function imagesIn(manifests: string): string[] {
  const found = [...manifests.matchAll(/^\s*(?:- )?image: ["']?([^\s"']+)["']?$/gm)].map(([, image]) => image ?? '')
  return [...new Set(found)]
}

/**
 * Applies rendered manifests, server-side, as Argo CD does: first the definitions and namespaces, and the rest once the server serves those.
 */
export async function applyManifests(cluster: Cluster, manifests: string, progress: Progress): Promise<void> {
  const documents = manifests.split(/^---$/m)
  const first = documents.filter((document) => /^kind: (CustomResourceDefinition|Namespace)$/m.test(document))
  if (first.length > 0) {
    await apply(cluster, first)
    const definitions = first.filter((document) => /^kind: CustomResourceDefinition$/m.test(document))
    const names = definitions.flatMap((document) => /^ {2}name: (\S+)$/m.exec(document)?.[1] ?? [])
    await waitUntil(progress, 60, () => notServed(cluster, names))
  }
  const rest = documents.filter((document) => !first.includes(document) && document.trim() !== '')
  if (rest.length > 0) await apply(cluster, rest)
}

/** A definition that was made a moment ago has no conditions yet, which `kubectl wait` takes for a fault. */
async function notServed(cluster: Cluster, names: readonly string[]): Promise<string[]> {
  const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
  const waiting: string[] = []
  for (const name of names) {
    const conditions = items(at(await cluster.get(`${path}/${name}`), 'status', 'conditions'))
    const served = conditions.some((entry) => at(entry, 'type') === 'Established' && at(entry, 'status') === 'True')
    if (!served) waiting.push(`the API server to serve ${name}`)
  }
  return waiting
}

async function apply(cluster: Cluster, documents: readonly string[]): Promise<void> {
  await cluster.kubectl(
    ['apply', '--server-side', '--force-conflicts', '--field-manager=npm-run-up', '--filename=-'],
    documents.join('---\n'),
  )
}
