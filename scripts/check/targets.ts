import { readFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { readInput } from '#cli/input.ts'
import { shownFrom, typedPath } from '#cli/paths.ts'
import { createEnvironment, type Environment, type RepositoryFacts } from '#kubernetes/model/environment.ts'
import type { Finding } from '#kubernetes/model/finding.ts'
import type { KubeObject } from '#kubernetes/model/objects.ts'
import { type Documents, readDocuments } from '#manifests/documents.ts'
import type { Rendering, Target } from '#manifests/kustomize.ts'
import { locateInFile, locateInKustomization } from '#manifests/source-locations/index.ts'
import { ownFacts } from '#platform/own-facts.ts'
import type { Platform } from '#platform/platform-file.ts'
import type { Manifests } from '#validation/kubeconform.ts'
import { type CheckConfig, emptyConfig, providedIn } from './config.ts'
import { configFor } from './config-file.ts'
import { foldersNamed } from './delivery.ts'

/**
 * What a target is: an `environment` of this repository, which has to follow all its conventions; what Argo CD is given to deliver them, which
 * follows none of theirs; or anything else.
 */
export type TargetKind = 'environment' | 'delivery' | 'foreign'

/** A target whose documents are read: what schemas, rules and admission look at. */
export interface ReadTarget extends Manifests {
  readonly objects: readonly KubeObject[]
  readonly environment: Environment
  /** What is wrong with its documents, before any object is checked. */
  readonly readFindings: readonly Finding[]
  readonly kind: TargetKind
  readonly config: CheckConfig
  /** It is read only because rules compare others with it: it is not checked and has no result. */
  readonly isContext?: true
  /** The content of a file that findings name; undefined when it cannot be read. */
  contentOf(file: string): string | undefined
}

/** The repository whose checker reads a target. */
interface Repository {
  readonly root: string
  readonly config: CheckConfig
  /** The content of its platform.yaml; undefined where it has none. */
  readonly platform?: Platform | undefined
}

/** A target, and what kustomize rendered of it. */
export interface RenderedTarget {
  readonly target: Target
  readonly outcome: Rendering
}

/** Reads files of manifests that are checked together, `-` being standard input. */
export async function readFilesTarget(
  typed: string,
  files: readonly string[],
  repository: Repository,
): Promise<ReadTarget> {
  const { root, config: own } = repository
  const shown = (file: string) => (file === '-' ? '<stdin>' : file)
  const target = shown(typed)
  const contents = new Map(files.map((file) => [shown(file), readInput(file)]))
  const seen = new Set<string>()
  const read = [...contents].map(([file, content]) => readDocuments(content, target, file, seen))
  const locates = [...contents].map(([file, content]) => locateInFile(file, content))
  const [first = '-'] = files
  const documents: Documents = {
    documents: read.flatMap((part) => part.documents),
    objects: read.flatMap((part) => part.objects),
    findings: read.flatMap((part) => part.findings),
  }
  return toReadTarget(target, documents, undefined, repository, {
    locate: (object, path) => locates.map((locate) => locate(object, path)).find((source) => source !== undefined),
    kind: 'foreign',
    config: await configFor(first === '-' ? typedPath('.') : resolve(typedPath(first), '..'), root, own),
    contentOf: (file) => contents.get(file),
  })
}

/**
 * Reads what kustomize rendered.
 * @param findings what is already known to be wrong with the target
 */
export async function readRenderedTarget(
  { target, outcome }: RenderedTarget,
  kind: TargetKind,
  repository: Repository,
  findings: readonly Finding[],
): Promise<ReadTarget> {
  const { root, config: own } = repository
  const base = shownFrom(target.folder)
  const context = {
    locate: locateInKustomization(target.folder, base),
    kind,
    config: kind === 'foreign' ? await configFor(target.folder, root, own) : own,
    contentOf: (file: string) => readIfThere(resolve(base, file)),
  }
  if ('finding' in outcome) {
    const read = { documents: [], objects: [], findings: [outcome.finding, ...findings] }
    return toReadTarget(target.name, read, undefined, repository, context)
  }
  const read = readDocuments(outcome.manifests, target.name)
  const all = { ...read, findings: [...findings, ...read.findings] }
  return toReadTarget(target.name, all, relative(root, target.folder), repository, context)
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    // A folder, or a file that was deleted in the meantime: the finding is reported without the line's text.
    return undefined
  }
}

function toReadTarget(
  target: string,
  read: Documents,
  folder: string | undefined,
  repository: Repository,
  context: Pick<ReadTarget, 'locate' | 'kind' | 'config' | 'contentOf'>,
): ReadTarget {
  const { documents, objects } = read
  const { kind, config } = context
  const readFindings = [...read.findings]
  if (objects.length === 0 && readFindings.length === 0) {
    const message = 'there is no object in it; expected Kubernetes manifests'
    const fix = 'Give a file that holds manifests.'
    readFindings.push({ rule: 'empty-render', severity: 'error', target, message, fix })
  }
  const isWhole = kind === 'environment' || config !== emptyConfig
  const environment = environmentOf({ name: target, folder, objects }, kind, { ...repository, config }, isWhole)
  return { target, documents, objects, readFindings, environment, ...context }
}

/** Indexes the objects of a target with what the configuration declares for it. */
export function environmentOf(
  { name, folder, objects }: Pick<Environment, 'name' | 'folder' | 'objects'>,
  kind: TargetKind,
  { root, config, platform }: Repository,
  isWhole = true,
): Environment {
  const known: RepositoryFacts = {
    metrics: config.metrics,
    parity: config.parity,
    repositories: config.delivery.repositories,
    folders: kind === 'delivery' ? foldersNamed(objects, root) : [],
  }
  const own = kind === 'environment' && folder !== undefined ? ownFacts(root, join(root, folder), platform) : undefined
  return createEnvironment(name, objects, { provided: providedIn(config, name), isWhole, folder, known, own })
}
