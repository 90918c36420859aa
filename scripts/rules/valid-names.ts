import type { Path } from '#kubernetes/model/finding.ts'
import { dnsLabelFault, dnsSubdomainFault, pathSegmentFault, portNameFault } from '#kubernetes/model/names.ts'
import { at, fields, groupOf, items, type KubeObject, text, type Value } from '#kubernetes/model/objects.ts'
import type { Workload } from '#kubernetes/model/workloads.ts'
import { defineRule, type Report } from '#rule/define-rule.ts'

export default defineRule({
  id: 'valid-names',
  severity: 'error',
  summary: 'Objects, containers, volumes, ports and keys have names that Kubernetes takes.',
  why: 'The API server refuses the object, or the pods that a controller makes of it.',
  fix: 'Choose a shorter name in lower-case letters, figures and "-".',
  check(environment, report) {
    for (const object of environment.objects) {
      const fault = nameFault(object)
      if (fault !== undefined) report(object, ['metadata', 'name'], `the name "${object.name}" ${fault}`)
      checkKeys(object, report)
    }
    for (const workload of environment.workloads) checkPod(workload, report)
  },
})

function checkKeys(object: KubeObject, report: Report): void {
  if (object.apiVersion !== 'v1' || (object.kind !== 'ConfigMap' && object.kind !== 'Secret')) return
  for (const part of ['data', 'binaryData', 'stringData']) {
    for (const key of Object.keys(fields(object.raw[part]))) {
      if (/^[-._a-zA-Z0-9]{1,253}$/.test(key) && key !== '.' && key !== '..') continue
      report(object, [part, key], `the key "${key}" is no file name; expected letters, figures, "-", "_" and "."`)
    }
  }
}

function checkPod({ object, pod, podPath, containers }: Workload, report: Report): void {
  const judge = (what: string, holder: Value, path: Path, fault: (name: string) => string | undefined) => {
    const name = text(at(holder, 'name'))
    const found = name === undefined ? undefined : fault(name)
    if (found !== undefined) report(object, [...path, 'name'], `the ${what} name "${name}" ${found}`)
  }
  const seen = new Set<string>()
  for (const { name, path, raw } of containers) {
    judge('container', raw, path, seen.has(name) ? () => 'is that of another container of the pod too' : dnsLabelFault)
    seen.add(name)
    for (const [index, port] of items(at(raw, 'ports')).entries())
      judge('port', port, [...path, 'ports', index], portNameFault)
  }
  for (const [index, volume] of items(at(pod, 'volumes')).entries())
    judge('volume', volume, [...podPath, 'volumes', index], dnsLabelFault)
}

/** Kinds of whose name a controller makes a longer one that becomes the value of a label, and how long it may be. */
const longest: Record<string, number> = { CronJob: 52, Job: 63, StatefulSet: 52 }

function nameFault({ kind, name, apiVersion }: KubeObject): string | undefined {
  const group = groupOf(apiVersion)
  if (group === 'rbac.authorization.k8s.io') return pathSegmentFault(name)
  // The aggregated APIs of OpenShift have names of their own, as `image:tag`.
  if (group.endsWith('openshift.io')) return undefined
  if (!['', 'apps', 'batch'].includes(group)) return dnsSubdomainFault(name)
  const length = Object.hasOwn(longest, kind) ? longest[kind] : undefined
  if (length !== undefined && name.length > length)
    return `has ${name.length} characters; expected at most ${length} for a ${kind}`
  return ['Namespace', 'Service', 'StatefulSet'].includes(kind) ? dnsLabelFault(name) : dnsSubdomainFault(name)
}
