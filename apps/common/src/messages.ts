/** Names of the queues; the broker's definitions declare them, never the services. */
export const queues = { requests: 'ai-requests', responses: 'ai-responses' } as const

export type RequestKind = 'inference' | 'chat' | 'recipe'

export type ChatMessage = { role: 'system' | 'user' | 'assistant'; content: string }

/** What a request has taken from its key's token quota at admission. */
export type Reservation = {
  /** Tokens: the estimate of the prompt plus the most that may be generated. */
  tokens: number
  /** The UTC day that was charged, `2026-01-31`; settling must give back to the same day. */
  window: string
}

/** Body of a message in `ai-requests`. Times are ISO 8601 in UTC. */
export type InferenceRequest = {
  id: string
  tenant: string
  keyId: string
  kind: RequestKind
  /** Ollama's `name:tag`, without digest. */
  model: string
  messages: ChatMessage[]
  maxTokens: number
  temperature: number
  /** Whether anyone may want tokens as they come; if not, only the end is written to the request's events. */
  stream: boolean
  reserved: Reservation
  submittedAt: string
}

/** Why a request failed; `invalid` is the caller's fault, `timeout` and `overloaded` pass with time, the rest need an operator. */
export type FailureClass = 'invalid' | 'timeout' | 'overloaded' | 'model' | 'internal'

export type Usage = { inputTokens: number; outputTokens: number }

/** Durations in milliseconds: waiting in the queue, from start to first token, from start to end. */
export type Timings = { queuedMs: number; firstTokenMs: number | null; totalMs: number }

/** Body of a message in `ai-responses`: what became of a request. */
export type InferenceResponse = {
  id: string
  tenant: string
  keyId: string
  kind: RequestKind
  model: string
  outcome: 'succeeded' | 'failed'
  text: string
  /** `stop` or `length` on success, `error` on failure. */
  finishReason: 'stop' | 'length' | 'error'
  error?: { class: FailureClass; message: string }
  usage: Usage
  reserved: Reservation
  timings: Timings
  submittedAt: string
  finishedAt: string
  /** Host name of the worker. */
  worker: string
}
