import type { Path } from '#kubernetes/model/finding.ts'
import { at, items, type KubeObject, text, type Value } from '#kubernetes/model/objects.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'claim-writable',
  category: 'storage',
  severity: 'error',
  summary: 'A claim that a container mounts read-write has an access mode that allows it.',
  why: 'A volume with ReadOnlyMany as its only access mode is mounted read-only: every write fails, or the pod does not start.',
  fix: 'Set accessModes to ReadWriteOnce or ReadWriteMany, or mount the volume with readOnly: true.',
  check(environment, report) {
    const check = (object: KubeObject, path: Path, claim: Value) => {
      const modes = items(at(claim, 'spec', 'accessModes'))
      if (modes.length > 0 && modes.every((mode) => mode === 'ReadOnlyMany'))
        report(
          object,
          [...path, 'spec', 'accessModes'],
          'the only access mode of the claim is ReadOnlyMany, but a container mounts it read-write',
        )
    }
    for (const { object, pod, containers } of environment.workloads) {
      const written = new Set(
        containers
          .flatMap(({ raw }) => items(at(raw, 'volumeMounts')))
          .flatMap((mount) => (at(mount, 'readOnly') === true ? [] : [at(mount, 'name')])),
      )
      for (const [index, claim] of object.kind === 'StatefulSet'
        ? items(at(object.raw, 'spec', 'volumeClaimTemplates')).entries()
        : [])
        if (written.has(at(claim, 'metadata', 'name'))) check(object, ['spec', 'volumeClaimTemplates', index], claim)
      for (const volume of items(at(pod, 'volumes'))) {
        const claim = environment.find(
          'PersistentVolumeClaim',
          object.namespace,
          text(at(volume, 'persistentVolumeClaim', 'claimName')) ?? '',
        )
        if (claim !== undefined && written.has(at(volume, 'name'))) check(claim, [], claim.raw)
      }
    }
    // A claim that no container writes to and that has no other data source.
    for (const claim of environment.ofKind('PersistentVolumeClaim', '')) {
      const mounts = environment.workloads.flatMap(({ object, pod, containers }) => {
        if (object.namespace !== claim.namespace) return []
        const names = items(at(pod, 'volumes')).flatMap((volume) =>
          at(volume, 'persistentVolumeClaim', 'claimName') === claim.name ? [at(volume, 'name')] : [],
        )
        return names.length === 0
          ? []
          : containers
              .flatMap(({ raw }) => items(at(raw, 'volumeMounts')))
              .filter((mount) => names.includes(at(mount, 'name')))
      })
      if (
        mounts.length > 0 &&
        mounts.every((mount) => at(mount, 'readOnly') === true) &&
        at(claim.raw, 'spec', 'dataSource') === undefined
      )
        report(
          claim,
          [],
          'every container mounts the claim read-only, so nothing can write to it',
          'Remove readOnly from the mount of the container that writes, or populate the claim from a dataSource.',
        )
    }
  },
})
