import { referencesTo } from '#kubernetes/references/references.ts'
import { generatedName, resolve } from '#kubernetes/references/resolve.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'reference-hash-suffix',
  severity: 'error',
  summary:
    'A generated ConfigMap or Secret is named with the hash that kustomize gave it, in custom resources as well.',
  why: "kustomize rewrites a generator's name where it knows the field; in a custom resource it does not, so the name leads nowhere.",
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
