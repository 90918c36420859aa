/** What is wrong, and what to do about it: findings, gates and refusals all come down to these two sentences. */
export interface Advice {
  /** What is wrong and what was expected. */
  readonly message: string
  /** What to do. */
  readonly fix: string
}
