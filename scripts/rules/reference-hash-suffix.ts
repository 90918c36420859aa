import { referencesTo } from '#kubernetes/references/references.ts'
import { generatedName, resolve } from '#kubernetes/references/resolve.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'reference-hash-suffix',
  category: 'references',
  severity: 'error',
  summary:
    'A reference to a generated ConfigMap or Secret has the hash suffix of kustomize, in custom resources as well.',
  why: 'kustomize rewrites a generated name in fields that it knows; in a custom resource it does not, so the reference does not resolve.',
  fix: 'Add the field to nameReference in a kustomize configuration file (configurations:), or set disableNameSuffixHash for this generator.',
  check(environment, report) {
    for (const kind of ['ConfigMap', 'Secret'])
      for (const { source, namespace, name, path, optional } of referencesTo(environment, kind)) {
        const generated = generatedName(environment, kind, namespace, name)
        if (optional || generated === undefined || resolve(environment, kind, namespace, name) !== undefined) continue
        report(
          source,
          path,
          `${kind} "${name}" is generated and rendered as "${generated}"; this field of ${source.kind} kept the name without the hash`,
        )
      }
  },
})
