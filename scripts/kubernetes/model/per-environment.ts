import type { Environment } from './environment.ts'

/** Computes something once per environment, however many rules need it. */
export function perEnvironment<T>(compute: (environment: Environment) => T): (environment: Environment) => T {
  const known = new WeakMap<Environment, T>()
  return (environment) => {
    let value = known.get(environment)
    if (value === undefined) {
      value = compute(environment)
      known.set(environment, value)
    }
    return value
  }
}
