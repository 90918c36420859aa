import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { parseDocument } from 'yaml'
import { UsageError } from '#cli/errors.ts'
import { shownFrom, typedPath } from '#cli/paths.ts'
import type { Finding, Source } from '#kubernetes/model/finding.ts'
import { at, items } from '#kubernetes/model/objects.ts'
import { run } from '#system/process.ts'
import { tool } from '#system/tools.ts'
import { kustomizationFile } from './kustomization.ts'

/** A folder to render, and the name it goes by in findings. */
export interface Target {
  readonly name: string
  readonly folder: string
}

/** The environments in the order of promotion, which `promotion.yaml` alone defines; none where it has no order that can be read. */
export function promotionOrder(root: string): string[] {
  const file = join(root, 'promotion.yaml')
  if (!existsSync(file)) return []
  // `npm run promote` checks the file; here only the order counts.
  const order = at(parseDocument(readFileSync(file, 'utf8'), { logLevel: 'silent' }).toJS(), 'order')
  return items(order).map(String)
}

/** The environments of the repository: the folders of `overlays/` that hold a kustomization, in the order of promotion, then by name. */
export function environments(root: string): Target[] {
  const order = promotionOrder(root)
  const rank = (name: string) => (order.includes(name) ? order.indexOf(name) : order.length)
  const overlays = join(root, 'overlays')
  if (!existsSync(overlays)) return []
  return readdirSync(overlays)
    .filter((name) => kustomizationFile(join(overlays, name)) !== undefined)
    .sort((a, b) => rank(a) - rank(b) || a.localeCompare(b))
    .map((name) => ({ name, folder: join(overlays, name) }))
}

/** @throws UsageError when there is no such environment; it names those there are */
export function environment(root: string, name: string): Target {
  const known = environments(root)
  const found = known.find((target) => target.name === name)
  if (found !== undefined) return found
  const names = known.map((target) => target.name).join(', ')
  throw new UsageError(
    `unknown environment "${name}"; expected ${names === '' ? 'a folder in overlays/, but there is none' : `one of ${names}`}`,
  )
}

/** @throws UsageError when the folder does not exist or holds no kustomization */
export function kustomizationTarget(folder: string): Target {
  const path = typedPath(folder)
  if (!existsSync(path)) throw new UsageError(`no such folder: ${folder}`)
  if (kustomizationFile(path) === undefined)
    throw new UsageError(`${folder} holds no kustomization.yaml; expected a folder that kustomize can build`)
  return { name: folder, folder: path }
}

/** The manifests that kustomize rendered, or the finding that says why there are none. */
export type Rendering = { readonly manifests: string } | { readonly finding: Finding }

/**
 * Renders a folder with kustomize, with the same load restrictions as Argo CD.
 */
export async function render(target: Target, root: string): Promise<Rendering> {
  const { code, stdout, stderr } = await run(await tool('kustomize'), ['build', target.folder])
  if (code === 0 && stdout.trim() !== '') return { manifests: stdout }
  const base = shownFrom(target.folder)
  const message =
    code === 0 ? 'kustomize rendered nothing; expected at least one object' : stderr.trim().replace(/^Error: /, '')
  return {
    finding: {
      rule: code === 0 ? 'empty-render' : 'render',
      severity: 'error',
      target: target.name,
      message: message.replaceAll(`${base}/`, '').replaceAll(`${root}/`, ''),
      fix:
        code === 0
          ? 'List the resources of the kustomization, or remove it.'
          : 'Mend what kustomize names; `kustomize build` of the folder shows the same.',
      ...sourceOfFailure(target, message, base),
    },
  }
}

/** Finds the line that kustomize's message is about: the entry of a kustomization that names a path in it, as written or resolved. */
function sourceOfFailure(target: Target, message: string, base: string): { source?: Source } {
  const quoted = new Set([...message.matchAll(/['"`(]([^'"`()\s]+)['"`)]/g)].map(([, path]) => path))
  for (const file of kustomizations(target.folder)) {
    for (const [index, line] of readFileSync(file, 'utf8').split('\n').entries()) {
      const [, entry] = /^\s*-\s+(?:path:\s*)?(\S+)\s*$/.exec(line) ?? []
      if (entry === undefined || !(quoted.has(entry) || quoted.has(join(dirname(file), entry)))) continue
      return { source: { file: relative(base, file), line: index + 1 } }
    }
  }
  const file = kustomizationFile(target.folder)
  return file === undefined ? {} : { source: { file: relative(base, file), line: 1 } }
}

/** The kustomization files that a folder is built of, itself first. */
function kustomizations(folder: string, seen = new Set<string>()): Set<string> {
  const file = kustomizationFile(folder)
  if (file === undefined || seen.has(file)) return seen
  seen.add(file)
  for (const [, path = ''] of readFileSync(file, 'utf8').matchAll(/^\s*-\s+(\S+)\s*$/gm)) {
    const next = join(dirname(file), path)
    if (kustomizationFile(next) !== undefined) kustomizations(next, seen)
  }
  return seen
}
