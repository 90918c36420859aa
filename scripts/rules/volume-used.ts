import { at, items, text } from '#kubernetes/model/objects.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'volume-used',
  category: 'storage',
  severity: 'warning',
  summary: 'Every volume of a pod is mounted by one of its containers.',
  why: 'The pod waits for the volume and holds it for nothing; most often a mount was forgotten.',
  fix: 'Mount the volume, or remove it.',
  check(environment, report) {
    for (const { object, pod, podPath, containers } of environment.workloads) {
      const used = new Set<string>()
      for (const { raw } of containers) {
        for (const list of ['volumeMounts', 'volumeDevices'])
          for (const mount of items(at(raw, list))) used.add(text(at(mount, 'name')) ?? '')
      }
      const lists = [
        { path: [...podPath, 'volumes'], nameAt: ['name'], volumes: at(pod, 'volumes') },
        {
          path: ['spec', 'volumeClaimTemplates'],
          nameAt: ['metadata', 'name'],
          volumes: object.kind === 'StatefulSet' ? at(object.raw, 'spec', 'volumeClaimTemplates') : undefined,
        },
      ]
      for (const { path, nameAt, volumes } of lists) {
        for (const [index, volume] of items(volumes).entries()) {
          const name = text(at(volume, ...nameAt)) ?? ''
          if (!used.has(name))
            report(
              object,
              [...path, index],
              `no container mounts the volume "${name}"`,
              `Mount it in volumeMounts of a container, or remove it from ${path.at(-1)}.`,
            )
        }
      }
    }
  },
})
