import { readFileSync, statSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { globSync } from 'tinyglobby'
import { parse } from 'yaml'
import { UsageError } from '#cli/errors.ts'
import { typedPath } from '#cli/paths.ts'
import { type Fields, fields, items, text, type Value } from '#kubernetes/model/objects.ts'
import { kustomizationFile } from '#manifests/kustomization.ts'
import { kustomizationTarget, type Target } from '#manifests/kustomize.ts'

/** What one `--file` names: files that are checked together, as they were typed, and kustomizations, which are rendered. */
interface Input {
  readonly name: string
  /** As typed, or relative to the folder in which the command was typed; `-` is standard input. */
  readonly files: readonly string[]
  readonly kustomizations: readonly Target[]
}

const manifests = '**/*.{yaml,yml,json}'

/**
 * Expands what was typed after `--file`: a file, `-`, a folder with all manifests in it, or a glob.
 * As Argo CD does, a folder with a kustomization.yaml is rendered, and the files of such a folder are not read by themselves.
 * @throws UsageError when nothing is found
 */
export function expandInput(typed: string): Input {
  const path = typedPath(typed)
  const stat = typed === '-' ? undefined : statSync(path, { throwIfNoEntry: false })
  if (stat?.isDirectory()) return expandFolder(typed, path)
  if (stat !== undefined || typed === '-' || !/[*?[{]/.test(typed))
    return { name: typed, files: [typed], kustomizations: [] }
  const files = find(typed.replaceAll('\\', '/'), typedPath('.'))
  if (files.length === 0) throw new UsageError(`no file matches ${typed}`)
  return { name: typed, files, kustomizations: [] }
}

function expandFolder(typed: string, folder: string): Input {
  const files: string[] = []
  const rendered = new Set<string>()
  for (const file of find(manifests, folder)) {
    const owner = kustomizationAbove(folder, resolve(folder, file, '..'))
    if (owner === undefined) files.push(join(typed, file))
    else rendered.add(owner)
  }
  const parts = new Set([...rendered].flatMap(foldersIn))
  const buildable = [...rendered].filter((owner) => !parts.has(owner) && !isComponent(owner))
  const kustomizations = buildable.map((owner) => kustomizationTarget(join(typed, relative(folder, owner))))
  if (files.length === 0 && kustomizations.length === 0)
    throw new UsageError(
      `${typed} holds no manifests; expected files that end in .yaml, .yml or .json, or a kustomization that can be built`,
    )
  return { name: typed, files, kustomizations }
}

function find(pattern: string, cwd: string): string[] {
  return globSync(pattern, { cwd, ignore: ['**/node_modules/**'], expandDirectories: false }).sort()
}

/** The nearest folder with a kustomization at or above a folder, no higher than `top`. */
function kustomizationAbove(top: string, folder: string): string | undefined {
  if (kustomizationFile(folder) !== undefined) return folder
  return folder === top ? undefined : kustomizationAbove(top, resolve(folder, '..'))
}

/** The folders that a kustomization is built of: they are checked as part of it. */
function foldersIn(folder: string): string[] {
  const { resources, bases, components } = read(folder)
  return [resources, bases, components].flatMap(items).flatMap((entry) => {
    const path = text(entry)
    return path === undefined ? [] : [resolve(folder, path)]
  })
}

/** Components are rendered only as parts of others. */
function isComponent(folder: string): boolean {
  return read(folder).kind === 'Component'
}

/** A kustomization as it is written; empty where it does not parse, which its rendering reports. */
function read(folder: string): Fields {
  const file = kustomizationFile(folder)
  if (file === undefined) return {}
  try {
    return fields(parse(readFileSync(file, 'utf8')) as Value)
  } catch {
    return {}
  }
}
