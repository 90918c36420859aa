import { at, items, number, show } from '#kubernetes/model/objects.ts'
import { quantity } from '#kubernetes/model/quantity.ts'
import { podAmount } from '#kubernetes/workloads/pod-resources.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'empty-dir-fits',
  category: 'storage',
  severity: 'warning',
  summary:
    "The sizeLimit of an emptyDir fits into the pod's ephemeral-storage limit, or its memory limit where the medium is Memory.",
  why: 'Files in an emptyDir count towards that limit: the kubelet evicts the pod, or the kernel kills it, before the volume is full.',
  fix: 'Lower the sizeLimit, or raise the limit of the containers.',
  check(environment, report) {
    for (const workload of environment.workloads)
      for (const [index, volume] of items(at(workload.pod, 'volumes')).entries()) {
        const size = at(volume, 'emptyDir', 'sizeLimit')
        const bytes = number(size) ?? quantity(size)
        if (bytes === undefined) continue
        const resource = at(volume, 'emptyDir', 'medium') === 'Memory' ? 'memory' : 'ephemeral-storage'
        const limit = podAmount(environment, workload, 'limits', resource)
        if (limit === 0 || bytes <= limit) continue
        report(
          workload.object,
          [...workload.podPath, 'volumes', index, 'emptyDir', 'sizeLimit'],
          `volume "${show(at(volume, 'name'))}" may hold ${show(size)}, but the ${resource} limit of the pod is ${limit} bytes`,
        )
      }
  },
})
