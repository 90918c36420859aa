import { nameOf } from '#kubernetes/model/objects.ts'
import { type Setting, settingsOf } from '#platform/settings.ts'
import { settings } from '#rule/conventions.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'models-agree',
  category: 'configuration',
  scope: 'platform',
  severity: 'error',
  summary: 'All programs of a namespace use the same models: CHAT_MODEL and EMBED_MODEL.',
  why: 'A program that requests a model that was never pulled gets 404 from Ollama; a search with another embedding model than the index returns nonsense.',
  fix: 'Read the models from one ConfigMap.',
  needs: settings('CHAT_MODEL', 'EMBED_MODEL'),
  check(environment, report) {
    for (const name of ['CHAT_MODEL', 'EMBED_MODEL']) {
      const first = new Map<string, Setting>()
      for (const setting of settingsOf(environment, name)) {
        const { workload, value, object, path } = setting
        const other = first.get(workload.object.namespace)
        if (other === undefined) first.set(workload.object.namespace, setting)
        else if (other.value !== value)
          report(
            object,
            path,
            `${name} of ${nameOf(workload.object)} is "${value}", but that of ${nameOf(other.workload.object)} is "${other.value}"`,
            `Set the value of ${name} to "${other.value}", preferably by reading it from one ConfigMap in all programs.`,
          )
      }
    }
  },
})
