import { at, fields, items, text } from '#kubernetes/model/objects.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'env-source-empty',
  category: 'configuration',
  severity: 'warning',
  summary: 'A ConfigMap that a container reads with envFrom is not empty.',
  why: 'The container starts without any of its settings: it falls back to its defaults, or exits.',
  fix: 'Add data, or remove the envFrom entry.',
  check(environment, report) {
    for (const { object, containers } of environment.workloads)
      for (const container of containers)
        for (const [index, source] of items(at(container.raw, 'envFrom')).entries()) {
          const name = text(at(source, 'configMapRef', 'name'))
          const map = name === undefined ? undefined : environment.find('ConfigMap', object.namespace, name)
          if (map === undefined || Object.keys(fields(map.raw.data)).length > 0) continue
          const path = [...container.path, 'envFrom', index]
          report(
            object,
            path,
            `ConfigMap ${name} has no data, so container "${container.name}" gets no variables from it`,
          )
        }
  },
})
