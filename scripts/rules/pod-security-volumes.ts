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
  severity: 'error',
  summary: 'No volume is a path of the node, nor of a type that reaches storage without a claim.',
  why: "A hostPath volume gives a container the node's files; the other types carry addresses and credentials of storage into the pod. Pod Security admission refuses the pod.",
  fix: 'Use a persistentVolumeClaim, or an emptyDir for what may be lost.',
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
