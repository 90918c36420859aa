import { knownUpTo, removedApi } from '#kubernetes/model/removed-apis.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'removed-api',
  category: 'manifests',
  severity: 'error',
  summary: `No object uses an API version that Kubernetes has removed (known up to ${knownUpTo}).`,
  why: 'The API server does not serve that version of the kind, and the whole sync fails.',
  fix: 'Use the version that replaced it; its fields may differ.',
  check(environment, report) {
    for (const object of environment.objects) {
      const removed = removedApi(object.apiVersion, object.kind)
      if (removed === undefined) continue
      const expected = removed.replacement === undefined ? 'nothing replaced it' : `expected ${removed.replacement}`
      const message = `${object.apiVersion} ${object.kind} was removed in Kubernetes 1.${removed.removed}; ${expected}`
      const fix =
        removed.replacement === undefined
          ? `Remove the ${object.kind}; the Kubernetes deprecated API migration guide describes the alternative.`
          : `Set apiVersion to ${removed.replacement}; its fields may differ.`
      report(object, ['apiVersion'], message, fix)
    }
  },
})
