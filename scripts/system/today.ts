/** The day by which exemptions end, as `2026-11-21` in UTC. */
export function today(): string {
  return new Date().toISOString().slice(0, 10)
}
