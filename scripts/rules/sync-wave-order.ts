import type { Environment } from '../lib/environment.ts'
import { type KubeObject, nameOf } from '../lib/objects.ts'
import { producedObjects } from '../lib/producers.ts'
import { referencesTo } from '../lib/references.ts'
import { defineRule } from '../lib/rule.ts'

/** What a pod waits for. */
const kinds = ['ConfigMap', 'Secret', 'PersistentVolumeClaim', 'ServiceAccount', 'PriorityClass'] as const

const phases = ['PreSync', 'Sync', 'PostSync']

export default defineRule({
  id: 'sync-wave-order',
  severity: 'error',
  summary: 'What a workload needs to start is synced by Argo CD in the same wave or an earlier one.',
  why: 'Argo CD waits for each wave to be healthy: a workload whose ConfigMap or Secret comes in a later wave never gets healthy, so the sync never gets there.',
  fix: "Lower the wave (argocd.argoproj.io/sync-wave) of what is needed, or raise the workload's.",
  check(environment, report) {
    for (const kind of kinds)
      for (const { source, path, namespace, name, optional } of referencesTo(environment, kind)) {
        const target = targetOf(environment, kind, namespace, name)
        const isWorkload = environment.findWorkload(source.kind, source.namespace, source.name) !== undefined
        if (optional || target === undefined || target === source || !isWorkload) continue
        const [own, needed] = [position(source), position(target)]
        if (needed.phase < own.phase || (needed.phase === own.phase && needed.wave <= own.wave)) continue
        report(
          source,
          path,
          `${nameOf(target)} comes in ${describe(needed)}, after this ${source.kind} in ${describe(own)}`,
        )
      }
  },
})

/** The rendered object that has to be synced before the target exists. */
function targetOf(environment: Environment, kind: string, namespace: string, name: string): KubeObject | undefined {
  return (
    environment.find(kind, namespace, name) ?? producedObjects(environment).get(`${kind}\n${namespace}\n${name}`)?.maker
  )
}

interface Position {
  readonly phase: number
  readonly wave: number
}

/** When Argo CD syncs an object: its hook's phase, then its wave. */
function position({ annotations }: KubeObject): Position {
  const hooks = (annotations['argocd.argoproj.io/hook'] ?? '').split(',').map((hook) => phases.indexOf(hook.trim()))
  const known = hooks.filter((phase) => phase >= 0)
  return {
    phase: known.length === 0 ? phases.indexOf('Sync') : Math.min(...known),
    wave: Number.parseInt(annotations['argocd.argoproj.io/sync-wave'] ?? '0', 10) || 0,
  }
}

function describe({ phase, wave }: Position): string {
  return `wave ${wave}${phase === phases.indexOf('Sync') ? '' : ` of ${phases[phase]}`}`
}
