import { nameOf } from '#kubernetes/model/objects.ts'
import { edgesOf } from '#kubernetes/network/edges.ts'
import { settingsOf } from '#platform/settings.ts'
import { settings } from '#rule/conventions.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'ollama-context-length',
  category: 'configuration',
  scope: 'platform',
  severity: 'warning',
  summary: 'CONTEXT_LENGTH of the workers equals OLLAMA_CONTEXT_LENGTH of the Ollama server that they call.',
  why: 'Ollama reloads a model for a request with another context length than the loaded one: each such request waits for the load and evicts the model for all others.',
  fix: 'Read both from one ConfigMap key.',
  needs: settings('OLLAMA_CONTEXT_LENGTH'),
  check(environment, report) {
    const edges = edgesOf(environment)
    for (const ollama of settingsOf(environment, 'OLLAMA_CONTEXT_LENGTH'))
      for (const { workload, object, path, value } of settingsOf(environment, 'CONTEXT_LENGTH')) {
        if (value === ollama.value || !edges.some(({ from, to }) => from === workload && to === ollama.workload))
          continue
        report(
          object,
          path,
          `CONTEXT_LENGTH of ${nameOf(workload.object)} is ${value}, but OLLAMA_CONTEXT_LENGTH of ${nameOf(ollama.workload.object)} is ${ollama.value}`,
          `Set the value of CONTEXT_LENGTH to ${ollama.value}, preferably by reading both from one ConfigMap key.`,
        )
      }
  },
})
