import { join } from 'node:path'
import { rules } from '../rules/index.ts'
import { type CheckConfig, providedIn } from './config.ts'
import { readDocuments } from './documents.ts'
import { runRules } from './engine.ts'
import { createEnvironment, type Environment } from './environment.ts'
import type { Finding } from './finding.ts'
import { type Manifests, validateSchemas } from './kubeconform.ts'
import { render, type Target } from './kustomize.ts'
import { mapParallel } from './process.ts'
import { type Locate, locateInFile, locateInKustomization } from './source.ts'

/** What one target's check found. */
export interface TargetResult {
  readonly target: string
  readonly objects: number
  readonly findings: readonly Finding[]
}

export interface CheckResult {
  readonly targets: readonly TargetResult[]
  /** Rules that looked at each target. */
  readonly rules: number
}

/** A target after rendering and parsing: what the schemas and rules look at. */
export interface Rendered extends Manifests {
  readonly findings: readonly Finding[]
  readonly environment: Environment
}

/** Renders the kustomizations in parallel and checks schemas and rules on each. */
export async function checkKustomizations(
  targets: readonly Target[],
  root: string,
  config: CheckConfig,
): Promise<{ result: CheckResult; rendered: Rendered[] }> {
  const rendered = await mapParallel(targets, async (target) => {
    const locate = locateInKustomization(target.folder, root)
    const outcome = await render(target, root)
    if ('finding' in outcome) return read(target.name, '', locate, config, undefined, [outcome.finding])
    return read(target.name, outcome.manifests, locate, config)
  })
  return { result: await judge(rendered, root), rendered }
}

/** Checks one text of manifests that no kustomization renders. */
export async function checkFile(
  file: string,
  content: string,
  root: string,
  config: CheckConfig,
): Promise<{ result: CheckResult; rendered: Rendered[] }> {
  const rendered = [read(file, content, locateInFile(file, content), config, file)]
  return { result: await judge(rendered, root), rendered }
}

function read(
  target: string,
  content: string,
  locate: Locate,
  config: CheckConfig,
  file?: string,
  before: readonly Finding[] = [],
): Rendered {
  const { objects, findings } = readDocuments(content, target, file)
  const found = [...before, ...findings]
  if (objects.length === 0 && found.length === 0) {
    found.push({
      rule: 'empty-render',
      severity: 'error',
      target,
      message: 'there is no object in it; expected Kubernetes manifests',
      fix: 'Give a file that holds manifests.',
    })
  }
  const environment = createEnvironment(target, objects, providedIn(config, target))
  return { target, content, objects, locate, findings: found, environment }
}

async function judge(rendered: readonly Rendered[], root: string): Promise<CheckResult> {
  // kubeconform is a process of its own, so the rules run meanwhile.
  const validation = validateSchemas(
    rendered.filter(({ objects }) => objects.length > 0),
    join(root, 'schemas'),
  )
  const judged = rendered.map((target) => ({ target, findings: runRules(rules, target.environment, target.locate) }))
  const schemaFindings = await validation
  const targets = judged.map(({ target, findings }) => ({
    target: target.target,
    objects: target.objects.length,
    findings: [
      ...target.findings,
      ...schemaFindings.filter((finding) => finding.target === target.target),
      ...findings,
    ],
  }))
  return { targets, rules: rules.length }
}
