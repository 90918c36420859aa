import type { Path } from '#kubernetes/model/finding.ts'
import { dnsLabelFault, dnsSubdomainFault, pathSegmentFault, portNameFault } from '#kubernetes/model/names.ts'
import { at, fields, groupOf, items, type KubeObject, text, type Value } from '#kubernetes/model/objects.ts'
import type { Workload } from '#kubernetes/model/workloads.ts'
import { defineRule, type Report } from '#rule/define-rule.ts'

export default defineRule({
  id: 'valid-names',
  category: 'manifests',
  severity: 'error',
  summary: 'Names of objects, containers, volumes, ports and keys are valid.',
  why: 'The API server rejects the object, or the pods that a controller creates from it.',
  fix: 'Choose a shorter name with lowercase letters, digits and "-".',
  check(environment, report) {
    for (const object of environment.objects) {
      const problem = nameFault(object)
      if (problem !== undefined) report(object, ['metadata', 'name'], `the name "${object.name}" ${problem}`)
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
      report(
        object,
        [part, key],
        `the key "${key}" is not a valid file name; expected letters, digits, "-", "_" and "."`,
      )
    }
  }
}

function checkPod({ object, pod, podPath, containers }: Workload, report: Report): void {
  const check = (what: string, holder: Value, path: Path, problemOf: (name: string) => string | undefined) => {
    const name = text(at(holder, 'name'))
    const found = name === undefined ? undefined : problemOf(name)
    if (found !== undefined) report(object, [...path, 'name'], `the ${what} name "${name}" ${found}`)
  }
  const seen = new Set<string>()
  for (const { name, path, raw } of containers) {
    check('container', raw, path, seen.has(name) ? () => 'is also that of another container of the pod' : dnsLabelFault)
    seen.add(name)
    for (const [index, port] of items(at(raw, 'ports')).entries())
      check('port', port, [...path, 'ports', index], portNameFault)
  }
  for (const [index, volume] of items(at(pod, 'volumes')).entries())
    check('volume', volume, [...podPath, 'volumes', index], dnsLabelFault)
}

/** Maximum name lengths of kinds whose controller appends to the name and uses the result as a label value. */
const maxLengths: Record<string, number> = { CronJob: 52, Job: 63, StatefulSet: 52 }

function nameFault({ kind, name, apiVersion }: KubeObject): string | undefined {
  const group = groupOf(apiVersion)
  if (group === 'rbac.authorization.k8s.io') return pathSegmentFault(name)
  // The aggregated APIs of OpenShift have their own name formats, such as `image:tag`.
  if (group.endsWith('openshift.io')) return undefined
  if (!['', 'apps', 'batch'].includes(group)) return dnsSubdomainFault(name)
  const length = Object.hasOwn(maxLengths, kind) ? maxLengths[kind] : undefined
  if (length !== undefined && name.length > length)
    return `has ${name.length} characters; expected at most ${length} for a ${kind}`
  return ['Namespace', 'Service', 'StatefulSet'].includes(kind) ? dnsLabelFault(name) : dnsSubdomainFault(name)
}
