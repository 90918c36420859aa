import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { connectPublisher, type Publisher } from '@inference/common/broker/publisher.ts'
import { createLog } from '@inference/common/log.ts'
import { type InferenceRequest, type InferenceResponse, queues } from '@inference/common/messages.ts'
import { connect } from 'amqplib'
import { parse } from 'yaml'
import { password } from './containers.ts'
import { waitUntil } from './gateway.ts'
import { adminUrl } from './queues.ts'

type Versions = { spec: { models: { chat: string; embed: string } } }

/** The models of the kind overlay, `name:tag@sha256:…`, which are those in the Ollama of the tests. */
export const models = (parse(readFileSync('overlays/kind/versions.yaml', 'utf8')) as Versions).spec.models

export function makeRequest(overrides: Partial<InferenceRequest> = {}): InferenceRequest {
  return {
    id: randomUUID(),
    tenant: 'test',
    keyId: 'key',
    kind: 'inference',
    model: 'tiny-chat:latest',
    messages: [{ role: 'user', content: 'What can I cook?' }],
    maxTokens: 64,
    temperature: 0,
    stream: true,
    reserved: { tokens: 100, window: '20000' },
    submittedAt: new Date().toISOString(),
    ...overrides,
  }
}

export function makeResponse(overrides: Partial<InferenceResponse> = {}): InferenceResponse {
  const { id, tenant, keyId, kind, model, reserved, submittedAt } = makeRequest()
  return {
    ...{ id, tenant, keyId, kind, model, reserved, submittedAt },
    outcome: 'succeeded',
    text: 'Warm some olive oil',
    finishReason: 'stop',
    usage: { inputTokens: 10, outputTokens: 4 },
    timings: { queuedMs: 5, firstTokenMs: 10, totalMs: 20 },
    finishedAt: new Date().toISOString(),
    worker: 'test',
    ...overrides,
  }
}

/** A publisher that may write any queue. Close it. */
export async function connectTestPublisher(rabbitmqUrl: string): Promise<Publisher> {
  const publisher = connectPublisher({
    url: rabbitmqUrl,
    username: 'admin',
    password,
    name: 'test',
    log: createLog('test', 'silent'),
  })
  await waitUntil(() => publisher.ready, 'the test publisher is connected')
  return publisher
}

export type QueueDepth = { ready: number; consumers: number }

/** The state of a queue from the broker itself, not from its statistics, which lag. */
export async function queueDepth(rabbitmqUrl: string, queue: string): Promise<QueueDepth> {
  const connection = await connect(adminUrl(rabbitmqUrl))
  try {
    const channel = await connection.createChannel()
    const { messageCount, consumerCount } = await channel.checkQueue(queue)
    return { ready: messageCount, consumers: consumerCount }
  } finally {
    await connection.close()
  }
}

/** Empties the four queues. */
export async function purgeQueues(rabbitmqUrl: string): Promise<void> {
  const connection = await connect(adminUrl(rabbitmqUrl))
  const channel = await connection.createChannel()
  for (const queue of Object.values(queues)) {
    await channel.purgeQueue(queue)
    await channel.purgeQueue(`${queue}.dead`)
  }
  await connection.close()
}
