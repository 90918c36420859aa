import { type Consumer, connectConsumer } from '@inference/common/broker/consumer.ts'
import { connectPublisher, type Publisher } from '@inference/common/broker/publisher.ts'
import { createLog } from '@inference/common/log.ts'
import { type InferenceRequest, type InferenceResponse, queues } from '@inference/common/messages.ts'
import { connectRedis, type RedisClient } from '@inference/common/redis.ts'
import { appendTokens, finishRequest, settleRequest, startRequest } from '@inference/common/request-state.ts'
import { password } from './containers.ts'
import { waitUntil } from './gateway.ts'

const words = ['Hello', ' from', ' the', ' stand-in']

/**
 * Replaces worker and collector in the tests of the gateway, over the real broker and Redis and with the same functions, but with
 * fixed words and instructions in the prompt: `fail:<class>`, `restart`, `restart-differently`, `slow`, `never`.
 */
export async function startStandInWorker(rabbitmqUrl: string, redisUrl: string): Promise<{ stop(): Promise<void> }> {
  const log = createLog('stand-in-worker', 'silent')
  const user = { username: 'admin', password, name: 'stand-in-worker', log }
  const redis = connectRedis({ ...user, url: redisUrl })
  const publisher: Publisher = connectPublisher({ ...user, url: rabbitmqUrl })
  const consumer: Consumer = connectConsumer(
    { ...user, url: rabbitmqUrl, queue: queues.requests, prefetch: 50 },
    async (delivery) => {
      await answer(redis.client, delivery.body as InferenceRequest)
      delivery.ack()
    },
  )
  await waitUntil(() => redis.ready && consumer.ready && publisher.ready, 'the stand-in worker is connected')
  return {
    async stop() {
      await consumer.close()
      await publisher.close()
      await redis.close()
    },
  }
}

async function answer(client: RedisClient, request: InferenceRequest): Promise<void> {
  const instruction = request.messages.at(-1)?.content ?? ''
  if (instruction === 'never') return
  await startRequest(client, request.id, 1)
  if (instruction.startsWith('restart')) {
    await appendTokens(client, request.id, instruction === 'restart' ? 'Hello from' : 'Something else')
    await startRequest(client, request.id, 2)
  }
  for (const word of words) {
    if (instruction === 'slow') await new Promise((resolve) => setTimeout(resolve, 100))
    await appendTokens(client, request.id, word)
  }
  const failure = /^fail:(\w+)$/.exec(instruction)?.[1] as NonNullable<InferenceResponse['error']>['class'] | undefined
  const now = new Date().toISOString()
  const response: InferenceResponse = {
    id: request.id,
    tenant: request.tenant,
    keyId: request.keyId,
    kind: request.kind,
    model: request.model,
    outcome: failure ? 'failed' : 'succeeded',
    text: failure ? '' : words.join(''),
    finishReason: failure ? 'error' : 'stop',
    ...(failure && { error: { class: failure, message: `failed on request: ${failure}` } }),
    usage: { inputTokens: 5, outputTokens: words.length },
    reserved: request.reserved,
    timings: { queuedMs: 1, firstTokenMs: 2, totalMs: 3 },
    submittedAt: request.submittedAt,
    finishedAt: now,
    worker: 'stand-in',
  }
  await finishRequest(client, response)
  await settleRequest(client, response)
}
