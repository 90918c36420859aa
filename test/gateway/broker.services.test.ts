import { randomUUID } from 'node:crypto'
import { connectConsumer } from '@inference/common/broker/consumer.ts'
import { connectPublisher } from '@inference/common/broker/publisher.ts'
import { createLog } from '@inference/common/log.ts'
import { afterEach, beforeAll, describe, expect, inject, it } from 'vitest'
import { password } from '../support/containers.ts'
import { waitUntil } from '../support/gateway.ts'
import { takeAll } from '../support/queues.ts'

const services = inject('services')
const queue = 'ai-requests'

describe.skipIf(services === null)('publisher and consumer', () => {
  if (services === null) return
  const options = {
    url: services.rabbitmq.url,
    username: 'admin',
    password,
    name: 'test',
    log: createLog('test', 'silent'),
  }
  const closing: (() => Promise<void>)[] = []
  // A test of another file that ended early may have left messages in the queue that all of them share.
  beforeAll(async () => {
    await takeAll(options.url, queue)
  })
  afterEach(async () => {
    for (const close of closing.splice(0)) await close()
    await takeAll(options.url, queue)
  })

  const openPublisher = async (extra: { maxInFlight?: number; password?: string } = {}) => {
    const publisher = connectPublisher({ ...options, ...extra })
    closing.push(() => publisher.close())
    if (!extra.password) await waitUntil(() => publisher.ready, 'the publisher is connected')
    return publisher
  }

  it('delivers body and trace, and counts each return to the queue', async () => {
    const publisher = await openPublisher()
    const id = randomUUID()
    const traceId = '0af7651916cd43dd8448eb211c80319c'
    const traceparent = `00-${traceId}-b7ad6b7169203331-01`
    await publisher.publish(queue, { id, body: { text: 'naïve ✓' }, traceparent })
    const seen: unknown[] = []
    const consumer = connectConsumer({ ...options, queue, prefetch: 2 }, async (delivery) => {
      const { messageId, body, traceId, deliveryCount, redelivered } = delivery
      seen.push({ messageId, body, traceId, deliveryCount, redelivered })
      if (deliveryCount < 2) delivery.reject(true)
      else delivery.ack()
    })
    closing.push(() => consumer.close())
    await waitUntil(() => seen.length === 3, 'the message was delivered three times')
    const message = { messageId: id, body: { text: 'naïve ✓' }, traceId }
    expect(seen).toEqual([
      { ...message, deliveryCount: 0, redelivered: false },
      { ...message, deliveryCount: 1, redelivered: true },
      { ...message, deliveryCount: 2, redelivered: true },
    ])
    await consumer.drain()
    expect(await takeAll(options.url, queue)).toEqual([])
  })

  it('fails a message without a queue, although the broker confirms it', async () => {
    const publisher = await openPublisher()
    await expect(publisher.publish('no-such-queue', { id: randomUUID(), body: {} })).rejects.toMatchObject({
      outcome: 'refused',
      message: expect.stringContaining('no-such-queue'),
    })
    expect(publisher.inFlight).toBe(0)
  })

  it('fails immediately beyond the limit of messages in flight', async () => {
    const publisher = await openPublisher({ maxInFlight: 10 })
    const results = await Promise.allSettled(
      Array.from({ length: 50 }, () => publisher.publish(queue, { id: randomUUID(), body: {} })),
    )
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(10)
    expect(await takeAll(options.url, queue)).toHaveLength(10)
  })

  it('is not ready, and rejects messages, with a wrong password', async () => {
    const publisher = await openPublisher({ password: 'wrong' })
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(publisher.ready).toBe(false)
    await expect(publisher.publish(queue, { id: randomUUID(), body: {} })).rejects.toMatchObject({ outcome: 'refused' })
  })

  it('drains: accepts no new message, and waits for the handler', async () => {
    const publisher = await openPublisher()
    const finished: string[] = []
    const consumer = connectConsumer({ ...options, queue, prefetch: 1 }, async (delivery) => {
      await new Promise((resolve) => setTimeout(resolve, 300))
      finished.push(delivery.messageId ?? '')
      delivery.ack()
    })
    closing.push(() => consumer.close())
    await publisher.publish(queue, { id: 'first', body: {} })
    await publisher.publish(queue, { id: 'second', body: { id: 'second' } })
    await waitUntil(() => consumer.inFlight === 1, 'the first message is in progress')
    await consumer.drain()
    expect(finished).toEqual(['first'])
    await consumer.close()
    expect(await takeAll(options.url, queue)).toEqual([{ id: 'second' }])
  })
})
