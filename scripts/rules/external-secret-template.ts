import { at, fields, items, strings, text } from '#kubernetes/model/objects.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'external-secret-template',
  category: 'configuration',
  severity: 'error',
  summary:
    'The templates of an ExternalSecret use only values that it fetches, and a Secret of type kubernetes.io/tls gets both of its keys.',
  why: 'External Secrets does not create the Secret: a template with an unknown value fails, and the API server rejects a TLS Secret without tls.crt and tls.key.',
  fix: 'Fetch the value under this name in spec.data (secretKey), or correct the name.',
  check(environment, report) {
    for (const external of environment.ofKind('ExternalSecret', 'external-secrets.io')) {
      const spec = external.raw.spec
      // Only the store knows what dataFrom fetches.
      if (items(at(spec, 'dataFrom')).length > 0) continue
      const fetched = new Set(items(at(spec, 'data')).flatMap((entry) => text(at(entry, 'secretKey')) ?? []))
      const template = at(spec, 'target', 'template')
      const check = (path: (string | number)[], content: string) => {
        for (const name of new Set(
          [...content.matchAll(/\{\{[^{}]*?(?<![\w.$)])\.([A-Za-z_]\w*)[^{}]*\}\}/g)].map(([, found = '']) => found),
        ))
          if (!fetched.has(name))
            report(
              external,
              path,
              `the template uses .${name}; the ExternalSecret fetches ${[...fetched].sort().join(', ') || 'nothing'}`,
              `Fetch it in spec.data (secretKey: ${name}), or write what is fetched: ${
                [...fetched]
                  .sort()
                  .map((key) => `{{ .${key} }}`)
                  .join(', ') || 'nothing'
              }.`,
            )
      }
      for (const [key, content] of Object.entries(strings(at(template, 'data'))))
        check(['spec', 'target', 'template', 'data', key], content)
      for (const [index, source] of items(at(template, 'templateFrom')).entries()) {
        const map = environment.find('ConfigMap', external.namespace, text(at(source, 'configMap', 'name')) ?? '')
        for (const [position, item] of items(at(source, 'configMap', 'items')).entries()) {
          const content = text(fields(map?.raw.data)[text(at(item, 'key')) ?? ''])
          if (content !== undefined)
            check(['spec', 'target', 'template', 'templateFrom', index, 'configMap', 'items', position, 'key'], content)
        }
      }
      if (at(template, 'type') !== 'kubernetes.io/tls') continue
      const keys = new Set([...fetched, ...Object.keys(fields(at(template, 'data')))])
      const missing = ['tls.crt', 'tls.key'].filter((key) => !keys.has(key))
      if (missing.length > 0 && items(at(template, 'templateFrom')).length === 0)
        report(
          external,
          ['spec', 'target', 'template', 'type'],
          `a Secret of type kubernetes.io/tls needs ${missing.join(' and ')}, which it does not have`,
          `Fetch ${missing.join(' and ')} in spec.data (secretKey), or remove the type.`,
        )
    }
  },
})
