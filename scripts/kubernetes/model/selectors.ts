import { at, fields, items, strings, text, type Value } from './objects.ts'

type Labels = Readonly<Record<string, string>>

/**
 * Whether a LabelSelector (`matchLabels`, `matchExpressions`) selects the labels. An empty selector selects everything; an absent one
 * (undefined or null) selects nothing, as the API defines both.
 */
export function selects(selector: Value, labels: Labels): boolean {
  if (selector === undefined || selector === null) return false
  for (const [key, value] of Object.entries(strings(at(selector, 'matchLabels'))))
    if (labels[key] !== value) return false
  for (const expression of items(at(selector, 'matchExpressions'))) if (!matches(expression, labels)) return false
  return true
}

/** Whether a plain label map (a Service's selector) selects the labels; an empty or absent one selects nothing. */
export function selectsByMap(selector: Value, labels: Labels): boolean {
  const wanted = Object.entries(strings(selector))
  return wanted.length > 0 && wanted.every(([key, value]) => labels[key] === value)
}

function matches(expression: Value, labels: Labels): boolean {
  const { key, operator, values } = fields(expression)
  const name = text(key)
  if (name === undefined) return false
  const has = Object.hasOwn(labels, name)
  const listed = has && items(values).includes(labels[name])
  if (operator === 'In') return listed
  if (operator === 'NotIn') return !listed
  if (operator === 'Exists') return has
  if (operator === 'DoesNotExist') return !has
  return false
}
