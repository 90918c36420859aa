import type { Finding, Path } from '#kubernetes/model/finding.ts'
import { at, existing, items, type KubeObject, nameOf, text, type Value } from '#kubernetes/model/objects.ts'
import type { Locate } from '#manifests/source-locations/index.ts'
import type { Reply } from './api-server/server.ts'

/** What one environment would apply to a cluster. */
export interface Candidate {
  readonly target: string
  readonly objects: readonly KubeObject[]
  readonly locate: Locate
}

/** The findings of one reply. `prefix` leads from the object to the part that was sent. */
export function toFindings(
  { status, body, warnings }: Reply,
  candidate: Candidate,
  object: KubeObject,
  prefix: Path,
): Finding[] {
  const warned = warnings.map((warning) => finding(candidate, object, 'warning', prefix, warning))
  if (status < 400) return warned
  const message = text(at(body, 'message')) ?? `the API server answered ${status}`
  const causes = items(at(body, 'details', 'causes')).flatMap((cause) => {
    const [field, words] = [text(at(cause, 'field')), text(at(cause, 'message'))]
    return field === undefined || words === undefined ? [] : [{ field, words }]
  })
  const parts = causes.length > 0 ? causes : [{ field: fieldIn(message), words: message }]
  return parts.map(({ field, words }) =>
    finding(candidate, object, 'error', [...prefix, ...toPath(field, at(object.raw, ...prefix))], words),
  )
}

/** The field that a refusal without causes names in its text. */
function fieldIn(message: string): string {
  const [, unknown] = /unknown field "([^"]+)"/.exec(message) ?? []
  const [, mistyped] = /^failed to create typed patch object .*?\s\.(\S+): /s.exec(message) ?? []
  return unknown ?? mistyped ?? ''
}

/**
 * A field as the server writes it, as a path in the value: `spec.containers[0].env`, `metadata.labels[a/b]`,
 * and `spec.ports[port=80,protocol="TCP"]` for the item of a list that has these values.
 */
function toPath(field: string, value: Value): Path {
  const path: (string | number)[] = []
  for (const [whole, key = whole] of field.matchAll(/\[([^\]]*)\]|[^.[\]]+/g)) {
    const list = at(value, ...path)
    if (!Array.isArray(list)) path.push(key)
    else path.push(/^\d+$/.test(key) ? Number(key) : list.findIndex((item) => hasValues(item, key.split(','))))
  }
  return path
}

/** Whether an item has all of `name="web"`, `port=80`. */
function hasValues(item: Value, pairs: readonly string[]): boolean {
  return pairs.every((pair) => {
    const [key = '', ...value] = pair.split('=')
    return JSON.stringify(at(item, key)) === value.join('=')
  })
}

/** Whether a message of the server is one of Pod Security admission. */
export function isPodSecurity(message: string): boolean {
  return message.includes('violate PodSecurity')
}

/** Pod Security only warns about a workload, whose pods it will refuse later: that is a failure now. */
export function asFailure(found: Finding): Finding {
  return isPodSecurity(found.message) ? { ...found, severity: 'error' } : found
}

/** A finding about an object of a candidate, in the server's words. */
export function finding(
  candidate: Candidate,
  object: KubeObject,
  severity: Finding['severity'],
  path: Path,
  message: string,
): Finding {
  const place = existing(object.raw, path)
  const source = candidate.locate(object, place)
  const fix = 'Change the manifest so that the API server takes it; the words are its own.'
  return {
    rule: 'admission',
    severity,
    target: candidate.target,
    object: nameOf(object),
    path: place,
    message,
    fix,
    ...(source && { source }),
  }
}
