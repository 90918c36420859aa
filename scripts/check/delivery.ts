import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { applicationsOf, sourcesOf } from '#kubernetes/argocd/applications.ts'
import { createEnvironment } from '#kubernetes/model/environment.ts'
import type { KubeObject } from '#kubernetes/model/objects.ts'
import { kustomizationFile } from '#manifests/kustomization.ts'

/** The folders that Applications name and that can be built from the files of this repository: remote resources are not fetched. */
export function foldersNamed(objects: readonly KubeObject[], root: string): string[] {
  const environment = createEnvironment('', objects)
  const folders = new Set(
    applicationsOf(environment).flatMap((one) => sourcesOf(one).flatMap(({ folder }) => folder ?? [])),
  )
  return [...folders].filter((folder) => isBuildable(join(root, folder), root))
}

/** Whether a folder holds manifests, a chart, or a kustomization whose entries are all there. */
function isBuildable(folder: string, root: string, within: readonly string[] = []): boolean {
  // kustomize refuses a cycle, too.
  if (!existsSync(folder) || relative(root, folder).startsWith('..') || within.includes(folder)) return false
  const file = kustomizationFile(folder)
  if (file === undefined) return readdirSync(folder).some((name) => /\.(?:ya?ml|json)$/.test(name))
  return localEntries(readFileSync(file, 'utf8')).every((entry) => {
    const path = join(dirname(file), entry)
    return existsSync(path) && (kustomizationFile(path) === undefined || isBuildable(path, root, [...within, folder]))
  })
}

/** The entries of `resources` and `components` that are not addresses. */
function localEntries(kustomization: string): string[] {
  const lists = [...kustomization.matchAll(/^(?:resources|components):\n((?:[ \t]*(?:-.*|#.*)?\n)+)/gm)]
  const entries = lists.flatMap(([, list = '']) => [...list.matchAll(/^\s*-\s+["']?([^\s"'#]+)/gm)])
  return entries.map(([, entry = '']) => entry).filter((entry) => !/^[a-z]+:\/\/|^git@|\?ref=|\/\//.test(entry))
}
