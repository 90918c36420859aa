/** The caller used a command wrongly or the configuration is wrong: printed without a stack, exit code 2. */
export class UsageError extends Error {
  override name = 'UsageError'
}

/** The exit codes of every command. */
export const exit = { ok: 0, findings: 1, usage: 2, internal: 3 } as const
