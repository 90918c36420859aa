import type { Environment } from '#kubernetes/model/environment.ts'
import {
  at,
  fields,
  items,
  type KubeObject,
  number,
  show,
  strings,
  text,
  type Value,
} from '#kubernetes/model/objects.ts'
import { selects } from '#kubernetes/model/selectors.ts'
import { type Reference, referencesTo } from '#kubernetes/references/references.ts'
import { unresolved } from '#kubernetes/references/resolve.ts'
import { someDeclarations } from '#rule/conventions.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'gateway-accepts-route',
  category: 'networking',
  severity: 'error',
  summary:
    'Every Gateway that a route names exists and has a listener that accepts the route: section name, port, namespace and host name.',
  why: 'A route that no listener accepts serves nothing: its requests get 404 from the Gateway.',
  fix: 'Name a rendered Gateway and a listener (sectionName, port) that allows this namespace (allowedRoutes.namespaces) and host (hostname).',
  needs: someDeclarations,
  check(environment, report) {
    for (const { reference, path, message } of unresolved(environment, 'Gateway'))
      report(reference.source, path, message)
    for (const reference of referencesTo(environment, 'Gateway')) {
      const gateway = environment.find('Gateway', reference.namespace, reference.name)
      if (gateway === undefined) continue
      const problem = refusal(environment, reference, gateway)
      if (problem === undefined) continue
      const base = reference.path.slice(0, -1)
      report(
        reference.source,
        problem.field === undefined ? reference.path : [...base, problem.field],
        problem.message,
        problem.fix,
      )
    }
  },
})

/** Why no listener of the Gateway accepts the route; undefined when one does. */
function refusal(
  environment: Environment,
  { raw, source }: Reference,
  gateway: KubeObject,
): { field?: string; message: string; fix: string } | undefined {
  const all = items(at(gateway.raw, 'spec', 'listeners'))
  const section = text(fields(raw).sectionName)
  const port = number(fields(raw).port)
  const named = all.filter((listener) => section === undefined || at(listener, 'name') === section)
  const names = all.map((listener) => show(at(listener, 'name'))).join(', ') || 'none'
  if (named.length === 0)
    return {
      ...(section !== undefined && { field: 'sectionName' }),
      message: `Gateway "${gateway.name}" has no listener${section === undefined ? '' : ` "${section}"`}; expected one of ${names}`,
      fix: `Set sectionName to one of ${names}, or add the listener to Gateway "${gateway.name}".`,
    }
  const reached = named.filter((listener) => port === undefined || at(listener, 'port') === port)
  if (reached.length === 0)
    return {
      field: 'port',
      message: `no such listener of Gateway "${gateway.name}" has port ${port}; expected ${named.map((listener) => show(at(listener, 'port'))).join(', ')}`,
      fix: `Set port to ${named.map((listener) => show(at(listener, 'port'))).join(' or ')}, or remove it.`,
    }
  const open = reached.filter((listener) => allows(environment, listener, source, gateway))
  if (open.length === 0)
    return {
      message: `no such listener of Gateway "${gateway.name}" accepts routes of namespace "${source.namespace}"; allowedRoutes.namespaces.from is ${from(reached[0])}`,
      fix: `Set allowedRoutes.namespaces.from of the listener to All, or to Selector with labels that Namespace "${source.namespace}" has.`,
    }
  const hosts = items(at(source.raw, 'spec', 'hostnames')).filter((host) => typeof host === 'string')
  const isServed = open.some((listener) => {
    const hostname = text(at(listener, 'hostname'))
    return hostname === undefined || hosts.length === 0 || hosts.some((host) => overlap(host, hostname))
  })
  if (isServed) return undefined
  return {
    message: `no such listener of Gateway "${gateway.name}" serves ${hosts.join(', ')}; its host names are ${open.map((listener) => at(listener, 'hostname')).join(', ')}`,
    fix: `Set hostnames of the route to names that ${open.map((listener) => at(listener, 'hostname')).join(' or ')} covers, or widen hostname of the listener.`,
  }
}

function from(listener: Value): string {
  return text(at(listener, 'allowedRoutes', 'namespaces', 'from')) ?? 'Same'
}

function allows(environment: Environment, listener: Value, route: KubeObject, gateway: KubeObject): boolean {
  if (from(listener) === 'All') return true
  if (from(listener) === 'Same') return route.namespace === gateway.namespace
  if (from(listener) !== 'Selector') return false
  const namespace = environment.find('Namespace', '', route.namespace)
  // The labels of a namespace that is not rendered are not known.
  if (namespace === undefined) return true
  const labels = { ...strings(namespace.labels), 'kubernetes.io/metadata.name': namespace.name }
  return selects(at(listener, 'allowedRoutes', 'namespaces', 'selector'), labels)
}

/** Whether two host names, each with an optional leading `*.` that matches one or more labels, have a name in common. */
function overlap(one: string, other: string): boolean {
  if (one === other) return true
  const [wide, narrow] =
    one.startsWith('*.') && !(other.startsWith('*.') && other.length < one.length) ? [one, other] : [other, one]
  return wide.startsWith('*.') && narrow.replace(/^\*/, '').endsWith(wide.slice(1)) && narrow !== wide.slice(2)
}
