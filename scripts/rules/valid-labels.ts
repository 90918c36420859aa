import type { Path } from '#kubernetes/model/finding.ts'
import { labelKeyFault, labelValueFault } from '#kubernetes/model/names.ts'
import { at, fields, type KubeObject, show, text } from '#kubernetes/model/objects.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'valid-labels',
  category: 'manifests',
  severity: 'error',
  summary: 'Label keys and values and annotation keys are valid.',
  why: 'The API server rejects the object.',
  fix: 'Write key and value in labels (and keys in annotations) with letters, digits, "-", "_" and ".", at most 63 characters; put longer values into an annotation.',
  check(environment, report) {
    const known = new Map<string, string | undefined>()
    // Every object has the same few labels.
    const once = (kind: string, value: string, validate: (value: string) => string | undefined) => {
      const key = `${kind} ${value}`
      if (!known.has(key)) known.set(key, validate(value))
      return known.get(key)
    }
    const check = (object: KubeObject, path: Path) => {
      const metadata = at(object.raw, ...path)
      for (const [key, value] of Object.entries(fields(at(metadata, 'labels')))) {
        const keyProblem = once('key', key, labelKeyFault)
        if (keyProblem !== undefined) report(object, [...path, 'labels', key], `the label key "${key}" ${keyProblem}`)
        const valueProblem = once('value', text(value) ?? '', labelValueFault)
        if (valueProblem !== undefined)
          report(object, [...path, 'labels', key], `the label value "${show(value)}" ${valueProblem}`)
      }
      for (const key of Object.keys(fields(at(metadata, 'annotations')))) {
        // The prefix of an annotation may have uppercase letters.
        const problem = once('key', key.toLowerCase(), labelKeyFault)
        if (problem !== undefined)
          report(object, [...path, 'annotations', key], `the annotation key "${key}" ${problem}`)
      }
    }
    for (const object of environment.objects) check(object, ['metadata'])
    for (const { object, podPath } of environment.workloads) {
      if (object.kind !== 'Pod') check(object, [...podPath.slice(0, -1), 'metadata'])
    }
  },
})
