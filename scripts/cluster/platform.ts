import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, parseDocument } from 'yaml'
import { UsageError } from '#cli/errors.ts'
import { type Progress, waitUntil } from '#cli/progress.ts'
import { at, fields, holds, items, text, type Value } from '#kubernetes/model/objects.ts'
import { writeAtomically } from '#system/atomic-write.ts'
import { contentFingerprint } from '#system/fingerprint.ts'
import { $, complaint } from '#system/shell.ts'
import { tool } from '#system/tools.ts'
import type { Cluster } from './client.ts'
import { ifExists } from './connection.ts'
import { applyByKubectl } from './kubectl.ts'

/** What is installed before the first sync, in the order of the waves of argocd/applications. */
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
 * @throws UsageError with what kustomize printed
 */
export async function renderPlatform(root: string, folder: string): Promise<string> {
  const sources = contentFingerprint(root, ['argocd/platform', 'argocd/install', 'argocd/kind'])
  const kept = join(root, '.cache', 'platform', `${folder.replaceAll('/', '-')}-${sources}.yaml`)
  if (existsSync(kept)) return readFileSync(kept, 'utf8')
  const rendered = await $`${await tool('kustomize')} build ${join(root, folder)}`
  if (!rendered.ok)
    throw new UsageError(
      `${folder} does not render; it needs git and the addresses that it names:\n  ${complaint(rendered).replaceAll(`${root}/`, '')}`,
    )
  writeAtomically(kept, rendered.stdout)
  return rendered.stdout
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
  const documents = restartingOnChange(manifests.split(/^---$/m))
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

/**
 * A process reads its environment once: the pods of a workload get the hash of the ConfigMaps that their environment comes from, so that a
 * change of these restarts them. What else a pod reads of a ConfigMap, it sees while it runs.
 */
export function restartingOnChange(documents: readonly string[]): string[] {
  const configMaps = new Map<string, string>()
  for (const document of documents.filter((text) => /^kind: ConfigMap$/m.test(text))) {
    const { metadata, data } = parse(document) as { metadata: { name: string }; data?: object }
    configMaps.set(metadata.name, JSON.stringify(data))
  }
  return documents.map((document) => {
    if (!/^kind: (Deployment|StatefulSet|DaemonSet)$/m.test(document)) return document
    const workload = parseDocument(document)
    const read = configMapsRead(workload.toJS()).filter((name) => configMaps.has(name))
    if (read.length === 0) return document
    const hash = createHash('sha256').update(read.map((name) => configMaps.get(name)).join('\n'))
    const annotation = ['spec', 'template', 'metadata', 'annotations', 'inference-platform/configuration']
    workload.setIn(annotation, hash.digest('hex').slice(0, 16))
    return workload.toString()
  })
}

/** The names of the ConfigMaps that environment variables come from, each once and in order. */
function configMapsRead(value: Value): string[] {
  const names = Object.entries(fields(value)).flatMap(([key, entry]) =>
    key === 'configMapKeyRef' || key === 'configMapRef' ? [text(at(entry, 'name')) ?? ''] : configMapsRead(entry),
  )
  const inItems = items(value).flatMap(configMapsRead)
  return [...new Set([...names, ...inItems])].sort()
}

/** A definition that was created a moment ago has no conditions yet, which `kubectl wait` takes for an error. */
async function notServed(cluster: Cluster, names: readonly string[]): Promise<string[]> {
  // Read as custom objects, so as plain JSON: the client's model of a definition's schema costs more than the question.
  const definitions = { group: 'apiextensions.k8s.io', version: 'v1', plural: 'customresourcedefinitions' }
  const waiting: string[] = []
  for (const name of names) {
    const definition = await ifExists(cluster.custom.getClusterCustomObject({ ...definitions, name }))
    if (!holds(definition, 'Established')) waiting.push(`the API server to serve ${name}`)
  }
  return waiting
}

async function apply(cluster: Cluster, documents: readonly string[]): Promise<void> {
  const flags = ['--server-side', '--force-conflicts', '--field-manager=npm-run-up']
  await applyByKubectl(cluster, documents.join('---\n'), ...flags)
}
