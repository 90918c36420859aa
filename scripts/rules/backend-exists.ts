import type { Path } from '#kubernetes/model/finding.ts'
import { at, fields, items, type KubeObject, number, show, text } from '#kubernetes/model/objects.ts'
import { type Reference, referencesTo } from '#kubernetes/references/references.ts'
import { unresolved } from '#kubernetes/references/resolve.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'backend-exists',
  category: 'references',
  severity: 'error',
  summary:
    'Every Service that a route, an Ingress or a webhook sends requests to exists and has the port that it names.',
  why: 'A route to a missing Service or port answers every request with 500 or 503; an unreachable webhook blocks the requests that it validates.',
  fix: 'Write the name of a rendered Service, and one of its ports by name or number.',
  check(environment, report) {
    for (const { reference, path, message } of unresolved(environment, 'Service'))
      if (reference.source.kind !== 'StatefulSet') report(reference.source, path, message)
    for (const reference of referencesTo(environment, 'Service')) {
      if (reference.source.kind === 'StatefulSet') continue
      const service = environment.find('Service', reference.namespace, reference.name)
      const wanted = portOf(reference)
      if (service === undefined || wanted === undefined || hasPort(service, wanted.port)) continue
      report(
        reference.source,
        wanted.path,
        `Service "${service.name}" has no port ${JSON.stringify(wanted.port)}; expected ${ports(service)}`,
      )
    }
  },
})

/** The port that a reference names: `port: 80` of a route or webhook, `port: {number}` or `port: {name}` of an Ingress. */
function portOf({ raw, path }: Reference): { port: number | string; path: Path } | undefined {
  const { port } = fields(raw)
  const base = [...path.slice(0, -1), 'port']
  if (number(port) !== undefined) return { port: number(port) as number, path: base }
  const byNumber = number(at(port, 'number'))
  if (byNumber !== undefined) return { port: byNumber, path: [...base, 'number'] }
  const byName = text(at(port, 'name'))
  return byName === undefined ? undefined : { port: byName, path: [...base, 'name'] }
}

function hasPort(service: KubeObject, wanted: number | string): boolean {
  // An ExternalName is a DNS alias: it has no ports of its own.
  if (at(service.raw, 'spec', 'type') === 'ExternalName') return true
  return items(at(service.raw, 'spec', 'ports')).some(
    (port) => at(port, 'port') === wanted || at(port, 'name') === wanted,
  )
}

function ports(service: KubeObject): string {
  const all = items(at(service.raw, 'spec', 'ports')).map(
    (port) => `${show(at(port, 'port'))}${at(port, 'name') === undefined ? '' : ` (${show(at(port, 'name'))})`}`,
  )
  return all.length === 0 ? 'none, since it declares no ports' : all.join(', ')
}
