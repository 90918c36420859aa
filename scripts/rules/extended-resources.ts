import { show } from '#kubernetes/model/objects.ts'
import { quantity } from '#kubernetes/model/quantity.ts'
import { containersWithResources, isExtended, statedResources } from '#kubernetes/workloads/container-resources.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'extended-resources',
  category: 'resources',
  severity: 'error',
  summary: 'A GPU or other device is requested in whole numbers, with a limit, and with a request equal to it.',
  why: 'Devices cannot be divided or overcommitted: the API server rejects the pod.',
  fix: 'Set the resource in limits to a whole number, and to the same number or not at all in requests.',
  check(environment, report) {
    for (const workload of environment.workloads) {
      const { object } = workload
      for (const container of containersWithResources(workload)) {
        const { limits, requests } = statedResources(container)
        for (const [resource, request] of Object.entries(requests)) {
          if (!isExtended(resource)) continue
          const limit = limits[resource]
          const subject = `container "${container.name}"`
          const path = [...container.path, 'resources']
          if (limit === undefined) {
            const message = `${subject} requests ${show(request)} of ${resource} without a limit; expected the same in limits`
            report(object, [...path, 'requests', resource], message, `Set ${resource} in limits to ${show(request)}.`)
          } else if (quantity(request) !== quantity(limit)) {
            const message = `${subject} requests ${show(request)} of ${resource} but its limit is ${show(limit)}; expected them equal`
            report(object, [...path, 'requests', resource], message, `Set ${resource} in requests to ${show(limit)}.`)
          }
          if (limit === undefined || Number.isInteger(quantity(limit))) continue
          report(
            object,
            [...path, 'limits', resource],
            `${subject} requests ${show(limit)} of ${resource}; expected a whole number`,
            `Set ${resource} in limits to 1 or another whole number.`,
          )
        }
      }
    }
  },
})
