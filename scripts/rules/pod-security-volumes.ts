import { at, fields, items, show } from '#kubernetes/model/objects.ts'
import { heldTo, levelOf } from '#kubernetes/workloads/pod-security.ts'
import { defineRule } from '#rule/define-rule.ts'

const allowed = [
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'image',
  'persistentVolumeClaim',
  'projected',
  'secret',
]

export default defineRule({
  id: 'pod-security-volumes',
  category: 'security',
  severity: 'error',
  summary: 'No volume is a hostPath or of another type that the restricted standard forbids.',
  why: "A hostPath volume gives a container the node's files; the other types bring storage addresses and credentials into the pod. Pod Security admission rejects the pod.",
  fix: 'Use a persistentVolumeClaim, or an emptyDir for data that may be lost.',
  check(environment, report) {
    for (const { object, pod, podPath } of heldTo('baseline', environment)) {
      const restricted = levelOf(environment, object.namespace) === 'restricted'
      for (const [index, volume] of items(at(pod, 'volumes')).entries()) {
        for (const [type, source] of Object.entries(fields(volume))) {
          if (type === 'name' || source == null || allowed.includes(type)) continue
          if (!restricted && type !== 'hostPath') continue
          const expected = restricted ? `one of ${allowed.join(', ')}` : 'any other type'
          const message = `volume "${show(at(volume, 'name'))}" is of type ${type}; expected ${expected}`
          report(object, [...podPath, 'volumes', index, type], message)
        }
      }
    }
  },
})
