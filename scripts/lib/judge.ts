import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { rules } from '../rules/index.ts'
import type { CheckResult } from './check.ts'
import { providedIn } from './config.ts'
import { type Documents, readDocuments } from './documents.ts'
import { runRules } from './engine.ts'
import { createEnvironment, type Environment } from './environment.ts'
import type { Finding } from './finding.ts'
import { readInput } from './input.ts'
import { type Manifests, validateSchemas } from './kubeconform.ts'
import type { Rendering, Target } from './kustomize.ts'
import type { KubeObject } from './objects.ts'
import { readConfig, versionsChecker } from './own-files.ts'
import { root } from './root.ts'
import { locateInFile, locateInKustomization } from './source.ts'

/** A target with its documents read: what schemas, rules and admission look at. */
export interface Readable extends Manifests {
  readonly objects: readonly KubeObject[]
  readonly environment: Environment
  /** What went wrong before there was anything to look at. */
  readonly faults: readonly Finding[]
}

const config = await readConfig(root)
const checkVersions = await versionsChecker(root)

/** Reads a file of manifests, `-` being standard input. */
export function readFile(file: string): Readable {
  const name = file === '-' ? '<stdin>' : file
  const content = readInput(file)
  return toReadable(name, readDocuments(content, name, name), locateInFile(name, content))
}

/** Reads what kustomize rendered. An environment of this repository must have its versions.yaml in order, too. */
export function readRender(
  { target, outcome }: { target: Target; outcome: Rendering },
  isEnvironment: boolean,
): Readable {
  const locate = locateInKustomization(target.folder, root)
  const versions = isEnvironment ? checkVersions(target) : []
  if ('finding' in outcome) {
    return toReadable(target.name, { documents: [], objects: [], findings: [outcome.finding, ...versions] }, locate)
  }
  const read = readDocuments(outcome.manifests, target.name)
  return toReadable(target.name, { ...read, findings: [...versions, ...read.findings] }, locate)
}

function toReadable(target: string, read: Documents, locate: Manifests['locate']): Readable {
  const { documents, objects } = read
  const faults = [...read.findings]
  if (objects.length === 0 && faults.length === 0) {
    const message = 'there is no object in it; expected Kubernetes manifests'
    faults.push({ rule: 'empty-render', severity: 'error', target, message, fix: 'Give a file that holds manifests.' })
  }
  const environment = createEnvironment(target, objects, providedIn(config, target))
  return { target, documents, objects, locate, faults, environment }
}

/** Judges all targets by schemas, rules and, when asked for, admission. */
export async function judge(reading: readonly Promise<Readable>[], admission: boolean): Promise<CheckResult> {
  const [targets, byProcess, byRule] = await Promise.all([
    Promise.all(reading),
    askProcesses(reading, admission),
    Promise.all(reading.map(askRules)),
  ])
  const results = targets.map(({ target, objects, faults }, index) => {
    const findings = [...faults, ...byProcess.filter((finding) => finding.target === target), ...(byRule[index] ?? [])]
    return { target, objects: objects.length, findings }
  })
  return { targets: results, rules: rules.length }
}

/** What kubeconform and the API server find; they are told of all targets at once. */
async function askProcesses(reading: readonly Promise<Readable>[], admission: boolean): Promise<Finding[]> {
  const targets = await Promise.all(reading)
  const schemas = validateSchemas(targets, join(root, 'schemas'))
  const admitted = admission ? import('./admit.ts').then(({ admit }) => admit(targets)) : []
  return (await Promise.all([schemas, admitted])).flat()
}

/** What the rules find in one target, as soon as it is read. */
async function askRules(reading: Promise<Readable>): Promise<Finding[]> {
  const { environment, locate } = await reading
  // Once the last target is read, the processes start first.
  await setImmediate()
  return runRules(rules, environment, locate)
}
