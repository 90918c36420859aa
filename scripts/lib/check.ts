import { join } from 'node:path'
import { rules } from '../rules/index.ts'
import { type CheckConfig, providedIn } from './config.ts'
import { readDocuments } from './documents.ts'
import { runRules } from './engine.ts'
import { createEnvironment, type Environment } from './environment.ts'
import { UsageError } from './errors.ts'
import type { Finding } from './finding.ts'
import { readInput } from './input.ts'
import { type Manifests, validateSchemas } from './kubeconform.ts'
import { environment, environments, kustomizationTarget, render, type Target } from './kustomize.ts'
import { readConfig, versionsChecker } from './own-files.ts'
import { mapParallel } from './process.ts'
import { root } from './root.ts'
import { locateInFile, locateInKustomization } from './source.ts'

/** What one target's check found. */
export interface TargetResult {
  /** The environment, folder or file. */
  readonly target: string
  /** How many objects it renders. */
  readonly objects: number
  readonly findings: readonly Finding[]
}

export interface CheckResult {
  readonly targets: readonly TargetResult[]
  /** How many rules looked at each target. */
  readonly rules: number
}

/** What to check: `environments` (none means all), or one kustomization, or one file. */
export interface CheckOptions {
  readonly environments: readonly string[]
  readonly kustomize?: string | undefined
  readonly file?: string | undefined
  readonly admit: boolean
}

/** A target after rendering and parsing: what schemas, rules and admission look at. */
interface Rendered extends Manifests {
  readonly environment: Environment
  /** What went wrong before there was anything to look at. */
  readonly faults: readonly Finding[]
}

/**
 * Renders what the options name and checks it: schemas, rules and, when asked for, admission by a real API server.
 * @throws UsageError when the options name nothing that can be checked
 */
export async function check(options: CheckOptions): Promise<CheckResult> {
  const rendered = await renderAll(options)
  const present = rendered.filter(({ objects }) => objects.length > 0)
  // kubeconform and the API server are processes of their own, so the rules run meanwhile.
  const validation = validateSchemas(present, join(root, 'schemas'))
  const admission = options.admit ? import('./admit.ts').then(({ admit }) => admit(present)) : []
  const byRule = rendered.map((target) => runRules(rules, target.environment, target.locate))
  const others = [...(await validation), ...(await admission)]
  const targets = rendered.map(({ target, objects, faults }, index) => {
    const findings = [...faults, ...others.filter((finding) => finding.target === target), ...(byRule[index] ?? [])]
    return { target, objects: objects.length, findings }
  })
  return { targets, rules: rules.length }
}

async function renderAll(options: CheckOptions): Promise<Rendered[]> {
  const config = readConfig(root)
  if (options.file !== undefined) return [readFileTarget(options.file, config)]
  if (options.kustomize !== undefined) return [await renderTarget(kustomizationTarget(options.kustomize), config)]
  const targets =
    options.environments.length === 0 ? environments(root) : options.environments.map((name) => environment(root, name))
  if (targets.length === 0)
    throw new UsageError('there is no environment: no folder of overlays/ holds a kustomization.yaml')
  const checkVersions = versionsChecker(root)
  return mapParallel(targets, (target) => renderTarget(target, config, () => checkVersions(target)))
}

function readFileTarget(file: string, config: CheckConfig): Rendered {
  const name = file === '-' ? '<stdin>' : file
  const content = readInput(file)
  const { objects, findings } = readDocuments(content, name, name)
  return toRendered(name, content, objects, findings, locateInFile(name, content), config)
}

async function renderTarget(
  target: Target,
  config: CheckConfig,
  faultsOf: () => Finding[] = () => [],
): Promise<Rendered> {
  const locate = locateInKustomization(target.folder, root)
  const outcome = await render(target, root)
  if ('finding' in outcome) return toRendered(target.name, '', [], [outcome.finding, ...faultsOf()], locate, config)
  const { objects, findings } = readDocuments(outcome.manifests, target.name)
  return toRendered(target.name, outcome.manifests, objects, [...findings, ...faultsOf()], locate, config)
}

function toRendered(
  target: string,
  content: string,
  objects: Rendered['objects'],
  found: readonly Finding[],
  locate: Rendered['locate'],
  config: CheckConfig,
): Rendered {
  const faults = [...found]
  if (objects.length === 0 && faults.length === 0) {
    const message = 'there is no object in it; expected Kubernetes manifests'
    faults.push({ rule: 'empty-render', severity: 'error', target, message, fix: 'Give a file that holds manifests.' })
  }
  return {
    target,
    content,
    objects,
    locate,
    faults,
    environment: createEnvironment(target, objects, providedIn(config, target)),
  }
}
