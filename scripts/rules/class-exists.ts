import type { Environment } from '#kubernetes/model/environment.ts'
import type { Path } from '#kubernetes/model/finding.ts'
import { at, items, type KubeObject, text } from '#kubernetes/model/objects.ts'
import { unresolved } from '#kubernetes/references/resolve.ts'
import { someDeclarations } from '#rule/conventions.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'class-exists',
  category: 'references',
  severity: 'error',
  summary:
    'Every PriorityClass and RuntimeClass that a pod names exists, and so does every StorageClass and GatewayClass where any are known.',
  why: 'The API server rejects pods with a class that does not exist, so the workload has zero pods; nothing provisions a volume or a gateway of an unknown class.',
  fix: 'Render the class, name one that exists, or declare it in check.yaml if an operator creates it.',
  needs: someDeclarations,
  check(environment, report) {
    for (const kind of ['PriorityClass', 'RuntimeClass'])
      for (const { reference, path, message } of unresolved(environment, kind))
        report(reference.source, path, message, fixOf(kind, path))
    // Cluster installers create these, so the list is known only where some are declared or rendered.
    for (const [kind, references] of Object.entries(classes(environment))) {
      const rendered = environment.ofKind(kind).map(({ name }) => name)
      if (rendered.length === 0 && !environment.declares(kind)) continue
      for (const { object, path, name } of references)
        if (!rendered.includes(name) && environment.provided(kind, name) === undefined)
          report(
            object,
            path,
            `there is no ${kind} "${name}": neither rendered nor declared in check.yaml`,
            fixOf(kind, path),
          )
    }
  },
})

function fixOf(kind: string, path: Path): string {
  return `Set ${path.at(-1)} to a ${kind} that exists, render it, or declare it in check.yaml if an operator creates it.`
}

interface Named {
  readonly object: KubeObject
  readonly path: Path
  readonly name: string
}

function classes(environment: Environment): Readonly<Record<string, readonly Named[]>> {
  const named = (object: KubeObject, path: Path): Named[] => {
    const name = text(at(object.raw, ...path))
    return name ? [{ object, path, name }] : []
  }
  const claims = environment
    .ofKind('PersistentVolumeClaim', '')
    .flatMap((claim) => named(claim, ['spec', 'storageClassName']))
  const templates = environment
    .ofKind('StatefulSet', 'apps')
    .flatMap((object) =>
      items(at(object.raw, 'spec', 'volumeClaimTemplates')).flatMap((_, index) =>
        named(object, ['spec', 'volumeClaimTemplates', index, 'spec', 'storageClassName']),
      ),
    )
  const gateways = environment
    .ofKind('Gateway', 'gateway.networking.k8s.io')
    .flatMap((gateway) => named(gateway, ['spec', 'gatewayClassName']))
  return { StorageClass: [...claims, ...templates], GatewayClass: gateways }
}
