import { existing } from '#kubernetes/model/objects.ts'
import { defineRule } from '#rule/define-rule.ts'

const label = 'app.kubernetes.io/version'
/** What stands in the manifests of base where components/versions writes the version of the image. */
const unset = 'set-by-versions'

export default defineRule({
  id: 'version-label-set',
  category: 'images',
  scope: 'platform',
  severity: 'error',
  summary: `No label ${label} is left as "${unset}".`,
  why: 'Dashboards and alerts tell by this label which version runs; a rollout that nobody can tell from the one before it is looked for in vain.',
  fix: 'Add the workload to components/versions/version-labels.yaml, which copies the tag of its image into the label.',
  check({ objects, workloads }, report) {
    const fix = (kind: string, name: string) =>
      `Add ${kind} ${name} to components/versions/version-labels.yaml, which sets ${label} to the tag of its image.`
    for (const object of objects)
      if (object.labels[label] === unset)
        report(object, ['metadata', 'labels', label], `the label is still "${unset}"`, fix(object.kind, object.name))
    for (const { object, labels, podPath } of workloads) {
      const path = [...podPath.slice(0, -1), 'metadata', 'labels', label]
      if (labels[label] === unset && object.kind !== 'Pod')
        report(
          object,
          existing(object.raw, path),
          `the label of the pods is still "${unset}"`,
          fix(object.kind, object.name),
        )
    }
  },
})
