import { containerEnv, variableReferences } from '#kubernetes/configuration/container-env.ts'
import { at, items, text } from '#kubernetes/model/objects.ts'
import { defineRule } from '#rule/define-rule.ts'

/** What may be set for each Service of the namespace, rendered here or not: `REDIS_SERVICE_HOST`, `REDIS_PORT_6379_TCP`. */
const serviceLink = /_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\w+)?)$/

export default defineRule({
  id: 'env-references-exist',
  category: 'configuration',
  severity: 'error',
  summary:
    'Every $(NAME) in a variable or an argument names a variable that is set; in a variable, one that is set earlier in the list.',
  why: 'An unresolved reference is passed on literally: the program gets the text $(NAME).',
  fix: 'Set the variable before the one that uses it; write $$(NAME) where the text itself is meant.',
  check(environment, report) {
    for (const { object, pod, containers } of environment.workloads) {
      const links = at(pod, 'enableServiceLinks') !== false
      const isLink = (name: string) => name.startsWith('KUBERNETES_') || (links && serviceLink.test(name))
      for (const container of containers) {
        const fromSources = containerEnv(environment, object, { ...container, env: [] })
        if (!fromSources.complete) continue
        const defined = new Set(fromSources.variables.keys())
        for (const { name, value = '', path } of container.env) {
          for (const reference of variableReferences(value)) {
            if (!/^[A-Za-z_][\w.-]*$/.test(reference) || defined.has(reference) || isLink(reference)) continue
            const later = container.env.some((other) => other.name === reference)
            report(
              object,
              [...path, 'value'],
              `${name} refers to $(${reference}), which ${later ? 'is set only later' : 'is not set'}`,
              later ? `Put ${reference} before ${name} in env.` : fixOf(reference, `the value of ${name}`),
            )
          }
          defined.add(name)
        }
        for (const list of ['command', 'args']) {
          for (const [index, word] of items(at(container.raw, list)).entries()) {
            for (const reference of variableReferences(text(word) ?? '')) {
              // In lowercase it is command substitution of the shell: $(date).
              if (!/^[A-Z_][A-Z0-9_]*$/.test(reference) || defined.has(reference) || isLink(reference)) continue
              report(
                object,
                [...container.path, list, index],
                `the argument refers to $(${reference}), which is not set`,
                fixOf(reference, list),
              )
            }
          }
        }
      }
    }
  },
})

function fixOf(reference: string, place: string): string {
  return `Set ${reference} in env, name a variable that is set in ${place}, or write $$(${reference}) there if the text itself is meant.`
}
