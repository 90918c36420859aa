import kinds from '../../../schemas/kinds.json' with { type: 'json' }
import { groupOf } from './objects.ts'

const scopes = new Map(kinds.map(({ apiVersion, kind, namespaced }) => [`${groupOf(apiVersion)}/${kind}`, namespaced]))

/** Whether a kind lives in a namespace, as the API server lists it (schemas/kinds.json); undefined for a kind that it does not know. */
export function isNamespaced({ apiVersion, kind }: { apiVersion: string; kind: string }): boolean | undefined {
  return scopes.get(`${groupOf(apiVersion)}/${kind}`)
}
