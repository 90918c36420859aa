import { existing, type KubeObject } from '#kubernetes/model/objects.ts'
import { defineRule } from '#rule/define-rule.ts'

const prefix = 'app.kubernetes.io/'

/** Labels of every object of an application, and those of a workload and its pods. */
const onAll = ['instance', 'managed-by']
const onWorkloads = ['name', 'component', 'version', 'instance', 'managed-by']

export default defineRule({
  id: 'standard-labels',
  category: 'manifests',
  severity: 'warning',
  summary: `An object that is part of an application (${prefix}part-of) has the other standard labels, and so do its pods.`,
  why: 'Policies, dashboards and queries select by these labels; they miss an object without one, or with another value on its pods.',
  fix: `Add the labels, in the kustomization's \`labels\` with includeTemplates where they apply to all objects.`,
  needs: {
    what: `an object with the label ${prefix}part-of`,
    isIn: ({ objects }) => objects.some(({ labels }) => labels[`${prefix}part-of`] !== undefined),
  },
  check(environment, report) {
    const seen = new Set<KubeObject>()
    for (const { object, labels: podLabels, podPath } of environment.workloads) {
      if (object.labels[`${prefix}part-of`] === undefined) continue
      seen.add(object)
      const missing = onWorkloads.filter((name) => object.labels[prefix + name] === undefined)
      if (missing.length > 0)
        report(object, ['metadata', 'labels'], `the labels ${list(missing)} are missing`, fixOf(missing))
      const path = [...podPath.slice(0, -1), 'metadata', 'labels']
      for (const name of [...onWorkloads, 'part-of']) {
        const own = object.labels[prefix + name]
        const pods = podLabels[prefix + name]
        if (own === undefined || own === pods) continue
        const found = pods === undefined ? 'not set' : `"${pods}"`
        const message = `${prefix}${name} of the pods is ${found}; expected "${own}", as on the ${object.kind}`
        const fix = `Set ${prefix}${name} to "${own}" in the labels of the pod template.`
        report(object, existing(object.raw, [...path, prefix + name]), message, fix)
      }
    }
    for (const object of environment.objects) {
      if (seen.has(object) || object.labels[`${prefix}part-of`] === undefined) continue
      const missing = onAll.filter((name) => object.labels[prefix + name] === undefined)
      if (missing.length > 0)
        report(object, ['metadata', 'labels'], `the labels ${list(missing)} are missing`, fixOf(missing))
    }
  },
})

function fixOf(names: readonly string[]): string {
  return `Add ${list(names)} to metadata.labels, of the pod template too; in the kustomization's labels, with includeTemplates, where they apply to all objects.`
}

function list(names: readonly string[]): string {
  return names.map((name) => prefix + name).join(', ')
}
