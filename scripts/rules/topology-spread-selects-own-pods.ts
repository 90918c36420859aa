import { at, fields, items, number, show, strings, text } from '#kubernetes/model/objects.ts'
import { selects } from '#kubernetes/model/selectors.ts'
import { defineRule } from '#rule/define-rule.ts'

/** Labels that controllers add to pods, so that no template has them. */
const addedByControllers = [
  'apps.kubernetes.io/pod-index',
  'batch.kubernetes.io/controller-uid',
  'batch.kubernetes.io/job-completion-index',
  'batch.kubernetes.io/job-name',
  'controller-revision-hash',
  'pod-template-hash',
  'rollouts-pod-template-hash',
  'statefulset.kubernetes.io/pod-name',
]

export default defineRule({
  id: 'topology-spread-selects-own-pods',
  category: 'availability',
  severity: 'warning',
  summary: "A topology spread constraint counts the workload's own pods and is valid.",
  why: 'A constraint that counts other pods, or none, spreads nothing: all replicas may be on one node when it fails.',
  fix: "Make labelSelector equal to labels of the workload's own pod template, and set maxSkew to 1 or more.",
  check(environment, report) {
    for (const { object, pod, podPath, labels } of environment.workloads) {
      const seen = new Set<string>()
      for (const [index, constraint] of items(at(pod, 'topologySpreadConstraints')).entries()) {
        const path = [...podPath, 'topologySpreadConstraints', index]
        const { labelSelector, maxSkew, minDomains, topologyKey, whenUnsatisfiable } = fields(constraint)
        if (labelSelector === undefined || labelSelector === null)
          report(object, path, 'the constraint has no labelSelector, so it counts no pods')
        else if (!selects(labelSelector, labels))
          report(object, [...path, 'labelSelector'], "the labelSelector does not select the workload's own pods")
        const wanted = strings(at(labelSelector, 'matchLabels'))
        for (const [position, key] of items(at(constraint, 'matchLabelKeys')).entries()) {
          const name = text(key) ?? ''
          const keyPath = [...path, 'matchLabelKeys', position]
          if (Object.hasOwn(wanted, name))
            report(
              object,
              keyPath,
              `"${name}" is also in labelSelector; expected it once`,
              `Remove ${name} from matchLabelKeys.`,
            )
          else if (!Object.hasOwn(labels, name) && !addedByControllers.includes(name))
            report(
              object,
              keyPath,
              `the pods have no label "${name}", so the key has no effect`,
              `Remove ${name} from matchLabelKeys, or give the pods this label.`,
            )
        }
        if ((number(maxSkew) ?? 0) < 1)
          report(
            object,
            path,
            `maxSkew is ${show(maxSkew ?? 'not set')}; expected 1 or more`,
            'Set maxSkew to 1 or more.',
          )
        if (minDomains !== undefined && whenUnsatisfiable !== 'DoNotSchedule')
          report(
            object,
            [...path, 'minDomains'],
            'minDomains is valid only with whenUnsatisfiable: DoNotSchedule',
            'Remove minDomains, or set whenUnsatisfiable to DoNotSchedule.',
          )
        const kind = `${show(topologyKey)} ${show(whenUnsatisfiable)}`
        if (seen.has(kind))
          report(
            object,
            path,
            `another constraint also has ${show(topologyKey)} and ${show(whenUnsatisfiable)}; expected one`,
            'Remove one of the two from topologySpreadConstraints.',
          )
        seen.add(kind)
      }
    }
  },
})
