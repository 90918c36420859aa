import { unresolved } from '../lib/references.ts'
import { defineRule } from '../lib/rule.ts'

export default defineRule({
  id: 'class-exists',
  severity: 'error',
  summary: 'Every PriorityClass and RuntimeClass that a pod names exists.',
  why: 'The API server refuses pods of a class that does not exist, so the workload stays at no pods.',
  fix: 'Render the class, name one that exists, or declare it in check.yaml if an operator makes it.',
  check(environment, report) {
    for (const kind of ['PriorityClass', 'RuntimeClass'])
      for (const { reference, path, message } of unresolved(environment, kind)) report(reference.source, path, message)
  },
})
