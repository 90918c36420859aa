import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { applicationsOf, sourcesOf } from '#kubernetes/argocd/applications.ts'
import { createEnvironment, type Environment } from '#kubernetes/model/environment.ts'
import type { Finding } from '#kubernetes/model/finding.ts'
import { readDocuments } from '#manifests/documents.ts'
import { kustomizationFile } from '#manifests/kustomization.ts'
import { render } from '#manifests/kustomize.ts'
import { eachParallel } from '#system/process.ts'
import type { ApplicationChange } from './application-changes.ts'
import { diffEnvironment, type EnvironmentDiff, type Side } from './environments.ts'

/** What changes in what Argo CD is given beside the environments: its own configuration, and the platform that its Applications install. */
interface DeliveryChanges {
  readonly folders: readonly EnvironmentDiff[]
  /** Folders whose remote bases are not rendered here: their own files are compared. */
  readonly unrendered: readonly ApplicationChange[]
}

const delivered = 'argocd'

/** Compares the renders of `argocd/` and of every folder in it that an Application names. Only what differs is in the result. */
export async function deliveryChanges(before: string, after: string): Promise<DeliveryChanges> {
  if (filesOf(before, delivered) === filesOf(after, delivered)) return { folders: [], unrendered: [] }
  const [old, now] = await Promise.all([sideOf(before, delivered), sideOf(after, delivered)])
  const named = [old, now].flatMap((side) => foldersIn(side.environment))
  const folders = [...new Set(named)].filter((folder) => folder !== delivered).sort()
  const local = folders.filter((folder) => !isRemote(before, folder) && !isRemote(after, folder))
  const sides = await Promise.all(
    eachParallel(
      local.filter((folder) => isThere(before, folder) || isThere(after, folder)),
      async (folder) => [await sideOf(before, folder), await sideOf(after, folder)] as const,
    ),
  )
  return {
    folders: [[old, now] as const, ...sides].flatMap(([one, other]) => differing(one, other)),
    unrendered: folders
      .filter((folder) => !local.includes(folder) && filesOf(before, folder) !== filesOf(after, folder))
      .map((folder) => unrenderedChange(folder)),
  }
}

interface Rendered extends Side {
  readonly manifests: string
}

async function sideOf(repository: string, folder: string): Promise<Rendered> {
  if (!isThere(repository, folder)) return { manifests: '', environment: createEnvironment(folder, []), findings: [] }
  const outcome = await render({ name: folder, folder: join(repository, folder) }, repository)
  if ('finding' in outcome) return brokenSide(folder, outcome.finding)
  const { objects, findings } = readDocuments(outcome.manifests, folder)
  const [fault] = findings
  if (fault !== undefined) return brokenSide(folder, fault)
  return { manifests: outcome.manifests, environment: createEnvironment(folder, objects), findings: [] }
}

function brokenSide(folder: string, finding: Finding): Rendered {
  return { manifests: finding.message, environment: createEnvironment(folder, []), findings: [], broken: finding }
}

/** The difference of two renders. What Argo CD is given never differs without any risk: it decides what everything else becomes. */
function differing(old: Rendered, now: Rendered): EnvironmentDiff[] {
  if (old.manifests === now.manifests) return []
  const diff = diffEnvironment(old, now)
  return [{ ...diff, risk: diff.risk === 'none' ? 'low' : diff.risk }]
}

function foldersIn(environment: Environment): string[] {
  return applicationsOf(environment)
    .flatMap(sourcesOf)
    .flatMap(({ folder }) => (folder?.startsWith(`${delivered}/`) ? [folder] : []))
}

function isThere(repository: string, folder: string): boolean {
  return kustomizationFile(join(repository, folder)) !== undefined
}

/** Whether a kustomization names anything that is fetched: a diff needs no network. */
function isRemote(repository: string, folder: string): boolean {
  const file = kustomizationFile(join(repository, folder))
  return (
    file !== undefined &&
    /^\s*-\s+(?:https?:\/\/|git@|ssh:\/\/|\S+\?ref=)|^helmCharts:/m.test(readFileSync(file, 'utf8'))
  )
}

function unrenderedChange(folder: string): ApplicationChange {
  const reason = `files of ${folder} change; its remote base is not rendered here`
  return { application: folder, action: 'change', risk: 'medium', reasons: [reason], changes: [] }
}

/** All files of a folder with their contents, as one text. */
function filesOf(repository: string, folder: string): string {
  const path = join(repository, folder)
  if (!existsSync(path)) return ''
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((file) => `${file.slice(path.length)}\n${readFileSync(file, 'utf8')}`)
    .join('\0')
}
