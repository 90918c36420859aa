import { existing } from '#kubernetes/model/objects.ts'
import { defineRule } from '#rule/define-rule.ts'

const label = 'app.kubernetes.io/version'
/** The value in the manifests of base, which components/versions replaces by the version of the image. */
const unset = 'set-by-versions'

export default defineRule({
  id: 'version-label-set',
  category: 'images',
  scope: 'platform',
  severity: 'error',
  summary: `No label ${label} is left as "${unset}".`,
  why: 'Dashboards and alerts read from this label which version runs; without it a new version cannot be distinguished from the one before.',
  fix: 'Add the workload to components/versions/images.yaml and run npm run generate:docs, which generates the replacement that copies the tag of its image into the label.',
  check({ objects, workloads }, report) {
    const fix = (kind: string, name: string) =>
      `Add ${kind} ${name} to components/versions/images.yaml and run npm run generate:docs: the replacement that it generates sets ${label} to the tag of its image.`
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
