import type { Path } from '#kubernetes/model/finding.ts'
import { labelKeyFault, labelValueFault } from '#kubernetes/model/names.ts'
import { at, fields, type KubeObject, show, text } from '#kubernetes/model/objects.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'valid-labels',
  severity: 'error',
  summary: 'Keys and values of labels, and keys of annotations, have the syntax that Kubernetes asks for.',
  why: 'The API server refuses the object.',
  fix: 'Write key and value in labels (and keys in annotations) in letters, figures, "-", "_" and ".", at most 63; what does not fit belongs into an annotation.',
  check(environment, report) {
    const known = new Map<string, string | undefined>()
    // The same few labels stand on every object.
    const once = (kind: string, value: string, judge: (value: string) => string | undefined) => {
      const key = `${kind} ${value}`
      if (!known.has(key)) known.set(key, judge(value))
      return known.get(key)
    }
    const check = (object: KubeObject, path: Path) => {
      const metadata = at(object.raw, ...path)
      for (const [key, value] of Object.entries(fields(at(metadata, 'labels')))) {
        const keyFault = once('key', key, labelKeyFault)
        if (keyFault !== undefined) report(object, [...path, 'labels', key], `the label key "${key}" ${keyFault}`)
        const valueFault = once('value', text(value) ?? '', labelValueFault)
        if (valueFault !== undefined)
          report(object, [...path, 'labels', key], `the label value "${show(value)}" ${valueFault}`)
      }
      for (const key of Object.keys(fields(at(metadata, 'annotations')))) {
        // Annotations may have capitals in their prefix.
        const fault = once('key', key.toLowerCase(), labelKeyFault)
        if (fault !== undefined) report(object, [...path, 'annotations', key], `the annotation key "${key}" ${fault}`)
      }
    }
    for (const object of environment.objects) check(object, ['metadata'])
    for (const { object, podPath } of environment.workloads) {
      if (object.kind !== 'Pod') check(object, [...podPath.slice(0, -1), 'metadata'])
    }
  },
})
