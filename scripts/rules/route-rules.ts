import { at, items, text } from '#kubernetes/model/objects.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'route-rules',
  category: 'networking',
  severity: 'error',
  summary:
    'A rule of an HTTPRoute has either backends or a redirect, its paths start with a slash, and every Gateway has a route.',
  why: 'The API server rejects a rule with both or with a relative path; a rule with neither answers 500, and a Gateway without routes answers 404.',
  fix: 'Give each rule backendRefs or a RequestRedirect filter, start each path with /, and name each Gateway in parentRefs of a route.',
  check(environment, report) {
    const parents = new Set<string>()
    for (const kind of ['HTTPRoute', 'GRPCRoute', 'TLSRoute', 'TCPRoute', 'UDPRoute'])
      for (const route of environment.ofKind(kind, 'gateway.networking.k8s.io')) {
        for (const parent of items(at(route.raw, 'spec', 'parentRefs')))
          parents.add(`${text(at(parent, 'namespace')) ?? route.namespace}/${text(at(parent, 'name'))}`)
        if (kind !== 'HTTPRoute') continue
        for (const [index, rule] of items(at(route.raw, 'spec', 'rules')).entries()) {
          const path = ['spec', 'rules', index]
          const filters = items(at(rule, 'filters')).map((filter) => at(filter, 'type'))
          const backends = items(at(rule, 'backendRefs')).length
          if (filters.includes('RequestRedirect') && backends > 0)
            report(
              route,
              [...path, 'backendRefs'],
              'the rule redirects and has backends; expected one of them',
              'Remove backendRefs, or the filter RequestRedirect.',
            )
          if (!filters.includes('RequestRedirect') && !filters.includes('ExtensionRef') && backends === 0)
            report(
              route,
              path,
              'the rule has neither backendRefs nor a redirect, so it answers 500',
              'Add backendRefs, or a filter RequestRedirect.',
            )
          for (const [position, match] of items(at(rule, 'matches')).entries()) {
            const value = text(at(match, 'path', 'value'))
            if (value !== undefined && at(match, 'path', 'type') !== 'RegularExpression' && !value.startsWith('/'))
              report(
                route,
                [...path, 'matches', position, 'path', 'value'],
                `the path is "${value}"; expected one that starts with /`,
                `Write the value /${value}.`,
              )
          }
        }
      }
    for (const gateway of environment.ofKind('Gateway', 'gateway.networking.k8s.io')) {
      // Other namespaces may attach routes where the Gateway allows it.
      const open = items(at(gateway.raw, 'spec', 'listeners')).some(
        (listener) => !['Same', undefined].includes(text(at(listener, 'allowedRoutes', 'namespaces', 'from'))),
      )
      if (!open && !parents.has(`${gateway.namespace}/${gateway.name}`))
        report(
          gateway,
          [],
          `no route names Gateway ${gateway.name}, so it answers 404 to everything`,
          `Name ${gateway.name} in parentRefs of a route, or remove the Gateway.`,
        )
    }
  },
})
