import { existing, text } from '#kubernetes/model/objects.ts'
import { enforceLabel } from '#kubernetes/workloads/pod-security.ts'
import { defineRule } from '#rule/define-rule.ts'

const versionLabel = `${enforceLabel}-version`

export default defineRule({
  id: 'namespace-pod-security',
  category: 'security',
  severity: 'warning',
  summary: 'A namespace with workloads enforces the restricted Pod Security Standard.',
  why: 'A namespace that enforces no standard admits any pod, even a privileged one: nothing in the cluster then enforces the other rules about pods.',
  fix: `Label the namespace ${enforceLabel}: restricted.`,
  check(environment, report) {
    const used = new Set(environment.workloads.map(({ object }) => object.namespace))
    for (const namespace of environment.ofKind('Namespace', '')) {
      if (!used.has(namespace.name)) continue
      const level = text(namespace.labels[enforceLabel])
      if (level !== 'restricted') {
        const found = level === undefined ? 'enforces no Pod Security Standard' : `enforces "${level}"`
        const path = existing(namespace.raw, ['metadata', 'labels', enforceLabel])
        report(namespace, path, `the namespace ${found}; expected restricted`)
      }
      const version = text(namespace.labels[versionLabel])
      if (version === undefined || version === 'latest' || /^v1\.(\d|[1-9]\d+)$/.test(version)) continue
      const message = `the version of the standard is "${version}"; expected latest or v1.<minor>`
      report(namespace, ['metadata', 'labels', versionLabel], message, `Set ${versionLabel} to latest.`)
    }
  },
})
