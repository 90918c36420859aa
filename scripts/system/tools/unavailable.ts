/** Why one way of getting a program did not work, where another way may. */
export class Unavailable extends Error {}

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`
}

/** @param began milliseconds since 1970 */
export function secondsSince(began: number): string {
  return `${((Date.now() - began) / 1000).toFixed(1)} s`
}
