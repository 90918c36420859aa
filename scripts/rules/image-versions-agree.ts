import { nameOf } from '#kubernetes/model/objects.ts'
import { imagesOf } from '#kubernetes/model/workloads.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'image-versions-agree',
  category: 'images',
  severity: 'warning',
  summary: 'All containers of a namespace that run the same image run the same version of it.',
  why: 'A migration or a sidecar of a different version than the service does what the service does not expect: missing tables, lost models.',
  fix: 'Set the version in one place: overlays/<environment>/versions.yaml, or images of the kustomization.',
  check(environment, report) {
    const first = new Map<string, { version: string; owner: string }>()
    for (const workload of environment.workloads)
      for (const { reference, path } of imagesOf(workload)) {
        const [, name, version] = /^([^@]*?)((?::[^:/@]+)?(?:@.*)?)$/.exec(reference) ?? []
        if (!name || version === undefined) continue
        const key = `${workload.object.namespace} ${name}`
        const known = first.get(key)
        if (known === undefined) first.set(key, { version, owner: nameOf(workload.object) })
        else if (known.version !== version)
          report(
            workload.object,
            path,
            `${reference} is a different version than ${name}${known.version} of ${known.owner}`,
          )
      }
  },
})
