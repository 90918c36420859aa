import { at, existing, fields, items, text } from '#kubernetes/model/objects.ts'
import { quantity } from '#kubernetes/model/quantity.ts'
import type { Workload } from '#kubernetes/model/workloads.ts'
import { containersWithResources, isExtended, statedResources } from '#kubernetes/workloads/container-resources.ts'
import { defineRule } from '#rule/define-rule.ts'

/** Labels that every node has, so that they choose none with a GPU. */
const everyNode = /^(beta\.)?kubernetes\.io\/(os|arch)$/

export default defineRule({
  id: 'gpu-placement',
  severity: 'warning',
  summary: 'A pod that asks for a GPU tolerates the taint of GPU nodes and chooses their kind.',
  why: 'GPU nodes are tainted to keep other pods away, so without the toleration the pod waits for ever; without a node selector it may get a GPU whose memory its model does not fit.',
  fix: "Add a toleration of the GPU's taint, and a nodeSelector or required node affinity for the kind of node.",
  check(environment, report) {
    for (const workload of environment.workloads) {
      const { object, podPath } = workload
      const resource = gpuOf(workload)
      if (resource === undefined) continue
      if (!tolerates(workload, resource)) {
        const path = existing(object.raw, [...podPath, 'tolerations'])
        const message = `the pod asks for ${resource} but tolerates no taint of its nodes; expected a toleration`
        report(object, path, message, `Add {key: ${resource}, operator: Exists} to tolerations.`)
      }
      if (!selectsNodes(workload)) {
        const path = existing(object.raw, [...podPath, 'nodeSelector'])
        const message = `the pod asks for ${resource} but takes any node that has one; expected a nodeSelector`
        report(object, path, message, 'Add a nodeSelector, or required node affinity, for the kind of node.')
      }
    }
  },
})

/** The GPU resource that the pod asks for: `nvidia.com/gpu`, `nvidia.com/mig-1g.10gb`, `amd.com/gpu`, `gpu.intel.com/xe`. */
function gpuOf(workload: Workload): string | undefined {
  for (const container of containersWithResources(workload)) {
    for (const [resource, limit] of Object.entries(statedResources(container).limits)) {
      if (isExtended(resource) && /gpu|\/mig-/.test(resource) && quantity(limit) !== 0) return resource
    }
  }
  return undefined
}

/**
 * Clouds name their taints differently; the word in key or value tells them from other taints. A key in the vendor's own domain is the name of a
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
