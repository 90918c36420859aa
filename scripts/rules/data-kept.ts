import { at, items, show } from '#kubernetes/model/objects.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'data-kept',
  category: 'storage',
  severity: 'warning',
  summary: 'A StatefulSet keeps its state on persistent claims that it can write to, and replaces its pods by itself.',
  why: 'State on an emptyDir is lost with the pod; claims with the policy Delete are deleted with the StatefulSet or its last replica; with OnDelete a new version is synced but never runs.',
  fix: 'Use volumeClaimTemplates with ReadWriteOnce, mount them without readOnly, keep whenDeleted and whenScaled at Retain, and updateStrategy at RollingUpdate.',
  check(environment, report) {
    for (const { object, pod, containers } of environment.workloads) {
      if (object.kind !== 'StatefulSet') continue
      const spec = object.raw.spec
      for (const when of ['whenDeleted', 'whenScaled'])
        if (at(spec, 'persistentVolumeClaimRetentionPolicy', when) === 'Delete')
          report(
            object,
            ['spec', 'persistentVolumeClaimRetentionPolicy', when],
            `${when} is Delete: the data is deleted with the pods; expected Retain`,
          )
      if (at(spec, 'updateStrategy', 'type') === 'OnDelete')
        report(
          object,
          ['spec', 'updateStrategy', 'type'],
          'pods are replaced only when someone deletes them; expected RollingUpdate',
        )
      const claims = items(at(spec, 'volumeClaimTemplates'))
      const volumes = items(at(pod, 'volumes'))
      if (
        claims.length === 0 &&
        !volumes.some((volume) => at(volume, 'persistentVolumeClaim') ?? at(volume, 'ephemeral') ?? at(volume, 'csi'))
      )
        report(
          object,
          ['spec'],
          'the StatefulSet has no claim, so its pods lose their state when they are rescheduled; expected volumeClaimTemplates, or a Deployment',
        )
      for (const [index, claim] of claims.entries()) {
        const name = at(claim, 'metadata', 'name')
        const mounts = containers
          .flatMap(({ raw }) => items(at(raw, 'volumeMounts')))
          .filter((mount) => at(mount, 'name') === name)
        // An init container that only prepares the volume does not count.
        const running = containers
          .filter(({ role }) => role !== 'init')
          .flatMap(({ raw }) => items(at(raw, 'volumeMounts')))
          .filter((mount) => at(mount, 'name') === name)
        const relevant = running.length > 0 ? running : mounts
        if (relevant.length > 0 && relevant.every((mount) => at(mount, 'readOnly') === true))
          report(
            object,
            ['spec', 'volumeClaimTemplates', index],
            `every container mounts claim "${show(name)}" read-only, so nothing can write to it`,
          )
      }
    }
  },
})
