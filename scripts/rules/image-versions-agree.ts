import { nameOf } from '#kubernetes/model/objects.ts'
import { imagesOf } from '#kubernetes/model/workloads.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'image-versions-agree',
  severity: 'warning',
  summary: 'All containers of a namespace that run the same image run the same version of it.',
  why: 'A migration or a sidecar of another version than the service does what the service does not expect: tables that are not there, models that are not kept.',
  fix: 'Set the version in one place: overlays/<environment>/versions.yaml, or images of the kustomization.',
  check(environment, report) {
    const first = new Map<string, { version: string; who: string }>()
    for (const workload of environment.workloads)
      for (const { reference, path } of imagesOf(workload)) {
        const [, name, version] = /^([^@]*?)((?::[^:/@]+)?(?:@.*)?)$/.exec(reference) ?? []
        if (!name || version === undefined) continue
        const key = `${workload.object.namespace} ${name}`
        const known = first.get(key)
        if (known === undefined) first.set(key, { version, who: nameOf(workload.object) })
        else if (known.version !== version)
          report(workload.object, path, `${reference} is another version than ${name}${known.version} of ${known.who}`)
      }
  },
})
