import type { Value } from './objects.ts'

const binary: Record<string, number> = { Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, Pi: 2 ** 50, Ei: 2 ** 60 }
const decimal: Record<string, number> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
}

/**
 * Reads a Kubernetes quantity: cores (`250m` is 0.25), bytes (`1Gi` is 1073741824) or a count.
 * Source: k8s.io/apimachinery/pkg/api/resource, the grammar in the documentation of Quantity.
 * @returns undefined when the value is not a valid quantity
 */
export function quantity(value: Value): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined
  if (typeof value !== 'string') return undefined
  const match = /^([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d+)|([KMGTPE]i|[numkMGTPE]?))$/.exec(value)
  if (match === null) return undefined
  const [, digits, exponent, unit = ''] = match
  if (exponent !== undefined) return Number(digits + exponent)
  return Number(digits) * (binary[unit] ?? decimal[unit] ?? Number.NaN)
}
