import type { Environment } from '#kubernetes/model/environment.ts'
import { at, fields, items, text, type Value } from '#kubernetes/model/objects.ts'
import { selects } from '#kubernetes/model/selectors.ts'

/** Whether a connection is possible. `unknown`: it depends on what is not rendered, such as the labels of pods of another team. */
export type Verdict = 'allowed' | 'denied' | 'unknown'

/** What is known of labels: some of them, and whether they are all there are. */
export interface KnownLabels {
  readonly labels: Readonly<Record<string, string>>
  readonly complete: boolean
}

const anything: KnownLabels = { labels: {}, complete: false }

/** What is known of a namespace's labels: all when it is rendered, else its name only, which is a label of each. */
export function namespaceLabels(environment: Environment, namespace: string | undefined): KnownLabels {
  // Objects without a namespace go wherever they are applied to.
  if (namespace === undefined || namespace === '') return anything
  const object = environment.find('Namespace', '', namespace)
  return {
    labels: { ...object?.labels, 'kubernetes.io/metadata.name': namespace },
    complete: object !== undefined,
  }
}

/** Whether a LabelSelector selects labels of which perhaps not all are known. */
export function selectsKnown(selector: Value, { labels, complete }: KnownLabels): Verdict {
  if (complete) return selects(selector, labels) ? 'allowed' : 'denied'
  if (selector === undefined || selector === null) return 'denied'
  // Each requirement by itself: one on a known label is decided, one on another label is not.
  const requirements = [
    ...Object.entries(fields(at(selector, 'matchLabels'))).map(([key, value]) => ({
      key,
      alone: { matchLabels: { [key]: value } },
    })),
    ...items(at(selector, 'matchExpressions')).map((expression) => ({
      key: text(at(expression, 'key')) ?? '',
      alone: { matchExpressions: [expression] },
    })),
  ]
  return every(
    requirements.map(({ key, alone }) => {
      if (!Object.hasOwn(labels, key)) return 'unknown'
      return selects(alone, labels) ? 'allowed' : 'denied'
    }),
  )
}

/** Allowed when all are; denied when one is. */
export function every(verdicts: readonly Verdict[]): Verdict {
  if (verdicts.includes('denied')) return 'denied'
  return verdicts.includes('unknown') ? 'unknown' : 'allowed'
}

/** Allowed when one is; denied when all are. */
export function any(verdicts: readonly Verdict[]): Verdict {
  if (verdicts.includes('allowed')) return 'allowed'
  return verdicts.includes('unknown') ? 'unknown' : 'denied'
}
