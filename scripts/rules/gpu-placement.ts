import { at, existing, fields, items, text } from '#kubernetes/model/objects.ts'
import { quantity } from '#kubernetes/model/quantity.ts'
import type { Workload } from '#kubernetes/model/workloads.ts'
import { containersWithResources, isExtended, statedResources } from '#kubernetes/workloads/container-resources.ts'
import { defineRule } from '#rule/define-rule.ts'

/** Labels that every node has: they do not select nodes with a GPU. */
const everyNode = /^(beta\.)?kubernetes\.io\/(os|arch)$/

export default defineRule({
  id: 'gpu-placement',
  category: 'resources',
  severity: 'warning',
  summary: 'A pod that requests a GPU tolerates the taint of GPU nodes and selects their type.',
  why: 'GPU nodes are tainted to repel other pods, so without the toleration the pod stays Pending; without a node selector it may get a GPU with too little memory for its model.',
  fix: "Add a toleration for the GPU's taint, and a nodeSelector or required node affinity for the node type.",
  check(environment, report) {
    for (const workload of environment.workloads) {
      const { object, podPath } = workload
      const resource = gpuOf(workload)
      if (resource === undefined) continue
      if (!tolerates(workload, resource)) {
        const path = existing(object.raw, [...podPath, 'tolerations'])
        const message = `the pod requests ${resource} but does not tolerate the taint of its nodes; expected a toleration`
        report(object, path, message, `Add {key: ${resource}, operator: Exists} to tolerations.`)
      }
      if (!selectsNodes(workload)) {
        const path = existing(object.raw, [...podPath, 'nodeSelector'])
        const message = `the pod requests ${resource} but may run on any node that has one; expected a nodeSelector`
        report(object, path, message, 'Add a nodeSelector, or required node affinity, for the node type.')
      }
    }
  },
})

/** The GPU resource that the pod requests: `nvidia.com/gpu`, `nvidia.com/mig-1g.10gb`, `amd.com/gpu`, `gpu.intel.com/xe`. */
function gpuOf(workload: Workload): string | undefined {
  for (const container of containersWithResources(workload)) {
    for (const [resource, limit] of Object.entries(statedResources(container).limits)) {
      if (isExtended(resource) && /gpu|\/mig-/.test(resource) && quantity(limit) !== 0) return resource
    }
  }
  return undefined
}

/**
 * Clouds name their taints differently; the word in key or value distinguishes them from other taints. A key in the vendor's own domain is the name of a
 * device (`nvidia.com/gpu`, `nvidia.com/gpu.present`), so one with another word (`nvidia.com/gpus`) is misspelt.
 */
function tolerates({ pod }: Workload, resource: string): boolean {
  const vendor = resource.slice(0, resource.indexOf('/') + 1)
  return items(at(pod, 'tolerations')).some((toleration) => {
    const key = text(at(toleration, 'key')) ?? ''
    if (key === '') return at(toleration, 'operator') === 'Exists'
    if (key.startsWith(vendor)) return /(?:gpu|mig)(?![a-z])/.test(key)
    return /gpu|accelerator/i.test(`${key} ${text(at(toleration, 'value')) ?? ''}`)
  })
}

function selectsNodes({ pod }: Workload): boolean {
  if (Object.keys(fields(at(pod, 'nodeSelector'))).some((label) => !everyNode.test(label))) return true
  const affinity = at(pod, 'affinity', 'nodeAffinity', 'requiredDuringSchedulingIgnoredDuringExecution')
  return items(at(affinity, 'nodeSelectorTerms')).some((term) =>
    items(at(term, 'matchExpressions')).some((expression) => !everyNode.test(text(at(expression, 'key')) ?? '')),
  )
}
