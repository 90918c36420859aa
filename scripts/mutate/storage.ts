import { at, items, text } from '#kubernetes/model/objects.ts'
import { broken, type MutationClass, refused, remove, set } from './mutation.ts'
import { containers, each } from './places.ts'

export const storage: readonly MutationClass[] = [
  refused(
    'claim-template-renamed',
    'The container mounts a volume that the pod does not have.',
    function* (environment) {
      for (const object of environment.ofKind('StatefulSet'))
        for (const { path } of each(object.raw, 'spec', 'volumeClaimTemplates'))
          yield set(object, [...path, 'metadata', 'name'], 'storage')
    },
  ),
  broken('storage-class', 'The volume is never provisioned, so the pod stays Pending.', function* (environment) {
    for (const object of environment.ofKind('StatefulSet'))
      for (const { path } of each(object.raw, 'spec', 'volumeClaimTemplates'))
        yield set(object, [...path, 'spec', 'storageClassName'], 'sdd')
    for (const claim of environment.ofKind('PersistentVolumeClaim'))
      yield set(claim, ['spec', 'storageClassName'], 'standart')
  }),
  refused('access-mode', 'There is no such access mode.', function* (environment) {
    for (const claim of environment.ofKind('PersistentVolumeClaim'))
      yield set(claim, ['spec', 'accessModes', 0], 'ReadWriteAny')
  }),
  broken('claim-read-only', 'The program cannot write its data.', function* (environment) {
    for (const object of environment.ofKind('StatefulSet'))
      for (const { path } of each(object.raw, 'spec', 'volumeClaimTemplates'))
        yield set(object, [...path, 'spec', 'accessModes'], ['ReadOnlyMany'])
    for (const claim of environment.ofKind('PersistentVolumeClaim'))
      yield set(claim, ['spec', 'accessModes'], ['ReadOnlyMany'])
  }),
  broken('data-mount-read-only', 'The program cannot write its data.', function* (environment) {
    for (const { object, container, path } of containers(environment)) {
      const claims = items(at(object.raw, 'spec', 'volumeClaimTemplates')).map((claim) => at(claim, 'metadata', 'name'))
      for (const [index, mount] of items(at(container.raw, 'volumeMounts')).entries())
        if (container.role === 'main' && claims.includes(at(mount, 'name')))
          yield set(object, [...path, 'volumeMounts', index, 'readOnly'], true)
    }
  }),
  broken('claims-deleted', 'Scaling down, or removing the StatefulSet, deletes the data.', function* (environment) {
    for (const object of environment.ofKind('StatefulSet'))
      for (const when of ['whenDeleted', 'whenScaled'])
        yield set(object, ['spec', 'persistentVolumeClaimRetentionPolicy', when], 'Delete')
  }),
  broken('data-on-empty-dir', 'The data is lost with the pod.', function* (environment) {
    for (const object of environment.ofKind('StatefulSet'))
      for (const [index, claim] of items(at(object.raw, 'spec', 'volumeClaimTemplates')).entries())
        yield [
          remove(object, ['spec', 'volumeClaimTemplates', index]),
          set(
            object,
            [
              'spec',
              'template',
              'spec',
              'volumes',
              items(at(object.raw, 'spec', 'template', 'spec', 'volumes')).length,
            ],
            { name: at(claim, 'metadata', 'name'), emptyDir: {} },
          ),
        ]
  }),
  broken('group-missing', "Only root may read the Secret's files or write to the volume.", function* (environment) {
    for (const { object, pod, podPath } of environment.workloads)
      if (
        items(at(pod, 'volumes')).some(
          (volume) => at(volume, 'secret') !== undefined || at(volume, 'persistentVolumeClaim') !== undefined,
        ) ||
        object.kind === 'StatefulSet'
      )
        yield remove(object, [...podPath, 'securityContext', 'fsGroup'])
  }),
  broken(
    'sub-path',
    'The file is not in the volume, so the kubelet mounts an empty folder in its place.',
    function* (environment) {
      for (const { object, container, path } of containers(environment))
        for (const [index, mount] of items(at(container.raw, 'volumeMounts')).entries())
          if (text(at(mount, 'subPath')) !== undefined)
            yield set(object, [...path, 'volumeMounts', index, 'subPath'], `${text(at(mount, 'subPath'))}x`)
    },
  ),
  broken(
    'temporary-folder-missing',
    'The root filesystem is read-only, so the program cannot write its temporary files.',
    function* (environment) {
      for (const { object, container, path } of containers(environment))
        for (const [index, mount] of items(at(container.raw, 'volumeMounts')).entries())
          if (at(mount, 'mountPath') === '/tmp') yield remove(object, [...path, 'volumeMounts', index])
    },
  ),
  broken(
    'claim-shared',
    'The second pod waits for a volume that is attached to another node.',
    function* (environment) {
      const claim = environment.ofKind('PersistentVolumeClaim')[0]
      if (claim === undefined) return
      for (const object of environment.ofKind('Deployment')) {
        const volumes = items(at(object.raw, 'spec', 'template', 'spec', 'volumes'))
        const mounts = items(at(object.raw, 'spec', 'template', 'spec', 'containers', 0, 'volumeMounts'))
        yield [
          set(object, ['spec', 'template', 'spec', 'volumes', volumes.length], {
            name: 'shared',
            persistentVolumeClaim: { claimName: claim.name },
          }),
          set(object, ['spec', 'template', 'spec', 'containers', 0, 'volumeMounts', mounts.length], {
            name: 'shared',
            mountPath: '/shared',
          }),
        ]
      }
    },
  ),
  refused('claim-size', 'There is no such unit.', function* (environment) {
    for (const claim of environment.ofKind('PersistentVolumeClaim'))
      yield set(claim, ['spec', 'resources', 'requests', 'storage'], '50GB')
    for (const object of environment.ofKind('StatefulSet'))
      for (const { path } of each(object.raw, 'spec', 'volumeClaimTemplates'))
        yield set(object, [...path, 'spec', 'resources', 'requests', 'storage'], '50 Gi')
  }),
]
