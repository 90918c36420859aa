import { at, items, show, type Value } from '#kubernetes/model/objects.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'volume-group',
  category: 'storage',
  severity: 'error',
  summary:
    'A pod that runs as non-root and mounts a claim, or files that only owner and group may read, has an fsGroup.',
  why: 'Files on a volume belong to root by default; without fsGroup the program can neither write to its claim nor read a Secret with mode 0440.',
  fix: 'Set securityContext.fsGroup of the pod to the group that the program runs as.',
  check(environment, report) {
    for (const { object, pod, podPath, containers } of environment.workloads) {
      const context = at(pod, 'securityContext')
      const users = containers.map(({ raw }) => at(raw, 'securityContext', 'runAsUser') ?? at(context, 'runAsUser'))
      // A container with an unknown user of the image may run as root.
      if (at(context, 'fsGroup') !== undefined || !users.some((user) => typeof user === 'number' && user > 0)) continue
      for (const [index, volume] of items(at(pod, 'volumes')).entries()) {
        const reason =
          at(volume, 'persistentVolumeClaim') === undefined
            ? onlyForRoot(volume)
            : 'is a claim, whose root directory only root can write to'
        if (reason !== undefined)
          report(
            object,
            [...podPath, 'volumes', index],
            `the pod has no fsGroup, but volume "${show(at(volume, 'name'))}" ${reason}`,
          )
      }
      for (const [index, claim] of object.kind === 'StatefulSet'
        ? items(at(object.raw, 'spec', 'volumeClaimTemplates')).entries()
        : [])
        report(
          object,
          ['spec', 'volumeClaimTemplates', index],
          `the pod has no fsGroup, but only root can write to the root directory of volume "${show(at(claim, 'metadata', 'name'))}"`,
        )
    }
  },
})

/** Why only root can read the files of a volume; undefined where others can. */
function onlyForRoot(volume: Value): string | undefined {
  for (const kind of ['secret', 'configMap', 'projected']) {
    const mode = at(volume, kind, 'defaultMode')
    if (typeof mode === 'number' && (mode & 0o004) === 0)
      return `has files with mode 0${mode.toString(8)}, which belong to root`
  }
  return undefined
}
