import { at, items, show, type Value } from '#kubernetes/model/objects.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'volume-group',
  severity: 'error',
  summary:
    'A pod that does not run as root and mounts a claim, or files that only owner and group may read, has an fsGroup.',
  why: "The kubelet makes a volume's files root's; without fsGroup the program may not write to its claim and not read a Secret of mode 0440.",
  fix: 'Set securityContext.fsGroup of the pod to the group that the program runs as.',
  check(environment, report) {
    for (const { object, pod, podPath, containers } of environment.workloads) {
      const context = at(pod, 'securityContext')
      const users = containers.map(({ raw }) => at(raw, 'securityContext', 'runAsUser') ?? at(context, 'runAsUser'))
      // Who runs as an unknown user of the image may be root.
      if (at(context, 'fsGroup') !== undefined || !users.some((user) => typeof user === 'number' && user > 0)) continue
      for (const [index, volume] of items(at(pod, 'volumes')).entries()) {
        const words =
          at(volume, 'persistentVolumeClaim') === undefined
            ? closed(volume)
            : 'is a claim, whose root is writable for root alone'
        if (words !== undefined)
          report(
            object,
            [...podPath, 'volumes', index],
            `the pod has no fsGroup, but volume "${show(at(volume, 'name'))}" ${words}`,
          )
      }
      for (const [index, claim] of object.kind === 'StatefulSet'
        ? items(at(object.raw, 'spec', 'volumeClaimTemplates')).entries()
        : [])
        report(
          object,
          ['spec', 'volumeClaimTemplates', index],
          `the pod has no fsGroup, but the root of volume "${show(at(claim, 'metadata', 'name'))}" is writable for root alone`,
        )
    }
  },
})

/** Says why nobody but root reads the files of a volume; undefined where others may. */
function closed(volume: Value): string | undefined {
  for (const kind of ['secret', 'configMap', 'projected']) {
    const mode = at(volume, kind, 'defaultMode')
    if (typeof mode === 'number' && (mode & 0o004) === 0)
      return `has files of mode 0${mode.toString(8)}, which belong to root`
  }
  return undefined
}
