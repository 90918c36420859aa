import { existing, nameOf } from '#kubernetes/model/objects.ts'
import { edgesOf } from '#kubernetes/network/edges.ts'
import { programOf } from '#platform/programs.ts'
import { defineRule } from '#rule/define-rule.ts'

const annotation = 'argocd.argoproj.io/sync-wave'

export default defineRule({
  id: 'service-wave',
  category: 'argocd',
  scope: 'platform',
  severity: 'error',
  summary: 'A service is synced by Argo CD in a later wave than the stores that it connects to.',
  why: 'In the same wave as the stores its pods may start before them and restart until they are ready, which looks like a failed release and pages at the first sync of an environment.',
  fix: `Set ${annotation} to a higher number than that of every store it connects to; base uses "4" for the services.`,
  check(environment, report) {
    const reported = new Set<unknown>()
    for (const { from, to } of edgesOf(environment)) {
      const isService = from.object.kind === 'Deployment' && from.containers.some((one) => programOf(one) !== undefined)
      if (!isService || to.object.kind !== 'StatefulSet' || reported.has(from)) continue
      const [own, needed] = [waveOf(from.object.annotations), waveOf(to.object.annotations)]
      if (own !== needed) continue
      reported.add(from)
      report(
        from.object,
        existing(from.object.raw, ['metadata', 'annotations', annotation]),
        `the ${from.object.kind} is synced in wave ${own}, the same as ${nameOf(to.object)}, to which it connects`,
        `Set ${annotation} of the ${from.object.kind} to "${Math.max(4, needed + 1)}".`,
      )
    }
  },
})

function waveOf(annotations: Readonly<Record<string, string>>): number {
  return Number.parseInt(annotations[annotation] ?? '0', 10) || 0
}
