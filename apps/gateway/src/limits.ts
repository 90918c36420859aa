/** Limits per caller; the OpenAPI document has the same numbers. */
export const limits = {
  /** Bytes of a request body; more is answered 413. */
  bodyBytes: 64 * 1024,
  /** Characters of a prompt, and of all messages of a chat together. */
  promptCharacters: 16_000,
  messages: 64,
  idempotencyKeyCharacters: 255,
  /** Event streams and waiting chat completions that one process keeps open; each costs memory and a subscription. */
  openStreams: 1000,
  /** Milliseconds to receive a whole request; slower ones are answered 408. */
  requestTimeoutMs: 30_000,
  /** Milliseconds to wait for the broker's confirm. */
  confirmTimeoutMs: 5000,
  /** Requests that may wait for a confirm at the same time; more are answered 503. At 1 KiB per message 1000 are about 1 MiB. */
  publishesInFlight: 1000,
} as const
