import { at, items, text } from '#kubernetes/model/objects.ts'
import { volumeNames } from '#kubernetes/model/workloads.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'volume-mount-declared',
  category: 'storage',
  severity: 'error',
  summary: 'Every mount names a volume of the pod, and mount paths and volume names are unique.',
  why: 'The API server rejects the pod; where two paths differ only in a slash, one mount hides the other.',
  fix: 'Declare the volume in volumes, or correct the name or path of the mount.',
  check(environment, report) {
    for (const workload of environment.workloads) {
      const { object, pod, podPath, containers } = workload
      const declared = new Set(volumeNames(workload))
      const seen = new Set<string>()
      for (const [index, volume] of items(at(pod, 'volumes')).entries()) {
        const name = text(at(volume, 'name'))
        if (name === undefined) continue
        if (seen.has(name))
          report(
            object,
            [...podPath, 'volumes', index, 'name'],
            `there are two volumes "${name}"; expected one`,
            'Remove one of them from volumes, or rename it.',
          )
        seen.add(name)
      }
      for (const container of containers) {
        const paths = new Map<string, string>()
        for (const [list, pathField] of [
          ['volumeMounts', 'mountPath'],
          ['volumeDevices', 'devicePath'],
        ] as const) {
          for (const [index, mount] of items(at(container.raw, list)).entries()) {
            const mountAt = [...container.path, list, index]
            const name = text(at(mount, 'name'))
            const path = text(at(mount, pathField))
            // Missing fields are reported by the schema.
            if (name === undefined || path === undefined) continue
            if (!declared.has(name)) {
              const expected = declared.size === 0 ? 'the pod has none' : `expected one of ${[...declared].join(', ')}`
              report(
                object,
                [...mountAt, 'name'],
                `there is no volume "${name}"; ${expected}`,
                `Declare ${name} in volumes, or use the name of an existing one.`,
              )
            }
            const place = path.replace(/(?<=.)\/+$/, '')
            const owner = paths.get(place)
            if (owner !== undefined)
              report(
                object,
                [...mountAt, pathField],
                `the volume "${owner}" is also mounted at ${path}`,
                `Remove one of the two from ${list}, or change its ${pathField}.`,
              )
            paths.set(place, name)
          }
        }
      }
    }
  },
})
