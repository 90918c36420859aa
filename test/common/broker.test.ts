import { EventEmitter } from 'node:events'
import { connectConsumer } from '@inference/common/broker/consumer.ts'
import type { Delivery } from '@inference/common/broker/delivery.ts'
import { connectPublisher, PublishError } from '@inference/common/broker/publisher.ts'
import { createLog } from '@inference/common/log.ts'
import { afterEach, describe, expect, test, vi } from 'vitest'

type Confirm = (error?: Error) => void

/** A channel that records what is called; the tests confirm, return and deliver messages by hand. */
class FakeChannel extends EventEmitter {
  readonly calls: unknown[][] = []
  readonly confirms: Confirm[] = []
  deliver: (message: object | null) => void = () => undefined
  sendToQueue = (...[queue, content, properties, confirm]: [string, Buffer, object, Confirm]) => {
    this.calls.push(['send', queue, JSON.parse(content.toString()), properties])
    this.confirms.push(confirm)
  }
  prefetch = async (count: number) => void this.calls.push(['prefetch', count])
  consume = async (_queue: string, deliver: (message: object | null) => void) => {
    this.calls.push(['consume'])
    this.deliver = deliver
    return { consumerTag: 'tag' }
  }
  cancel = async () => void this.calls.push(['cancel'])
  ack = () => void this.calls.push(['ack'])
  reject = (_message: object, requeue: boolean) => void this.calls.push(['reject', requeue])
  nack = (_message: object, _all: boolean, requeue: boolean) => void this.calls.push(['nack', requeue])
  close = async () => void this.emit('close')
}

class FakeConnection extends EventEmitter {
  close = vi.fn(async () => undefined)
}

const fake = vi.hoisted(() => ({ connect: undefined as unknown as (url: string, options: object) => Promise<unknown> }))
vi.mock('amqplib', () => ({ connect: (url: string, options: object) => fake.connect(url, options) }))

/** Makes the next connect() succeed with one channel per connection; `reconnect` opens another one. */
function fakeBroker() {
  const connection = new FakeConnection()
  const channels: FakeChannel[] = []
  let setup: (model: object) => Promise<void> = async () => undefined
  const open = async () => {
    const channel = new FakeChannel()
    channels.push(channel)
    const create = async () => channel
    await setup({ createChannel: create, createConfirmChannel: create, close: async () => undefined })
    connection.emit('connect')
  }
  fake.connect = async (_url, options) => {
    setup = (options as { recovery: { setup: typeof setup } }).recovery.setup
    return connection
  }
  const channel = (index: number) => channels[index] as FakeChannel
  return { connection, channel, open }
}

const options = { url: 'amqp://broker', username: 'u', password: 'p', name: 'test', log: createLog('test', 'silent') }
const settled = () => new Promise((resolve) => setImmediate(resolve))
const outcomeOf = (sent: Promise<void>) => sent.then(() => 'confirmed').catch((error: PublishError) => error.outcome)

afterEach(() => {
  vi.useRealTimers()
})

describe('the publisher', () => {
  async function connected(more: { confirmTimeoutMs?: number; maxInFlight?: number } = {}) {
    const broker = fakeBroker()
    const publisher = connectPublisher({ ...options, ...more })
    await settled()
    await broker.open()
    return { ...broker, publisher }
  }

  test('resolves with the confirm and rejects a nack', async () => {
    const { publisher, channel } = await connected()
    const [first, second] = ['a', 'b'].map((id) => publisher.publish('queue', { id, body: { id } }))
    expect([publisher.ready, publisher.inFlight]).toEqual([true, 2])
    expect(channel(0).calls[0]).toMatchObject(['send', 'queue', { id: 'a' }, { mandatory: true, messageId: 'a' }])
    channel(0).confirms[0]?.()
    channel(0).confirms[1]?.(new Error('message nacked'))
    expect(await Promise.all([first, second].map((sent) => outcomeOf(sent as Promise<void>)))).toEqual([
      'confirmed',
      'refused',
    ])
    expect(publisher.inFlight).toBe(0)
  })

  test('rejects a returned message, although its confirm follows', async () => {
    const { publisher, channel } = await connected()
    const sent = publisher.publish('missing', { id: 'a', body: {} })
    channel(0).emit('return', { fields: { routingKey: 'missing' }, properties: { messageId: 'a' } })
    channel(0).confirms[0]?.()
    await expect(sent).rejects.toThrow(/queue missing does not exist/)
  })

  test('is not ready after a missing confirm, until the next one arrives', async () => {
    const { publisher, channel } = await connected({ confirmTimeoutMs: 10 })
    expect(await outcomeOf(publisher.publish('queue', { id: 'a', body: {} }))).toBe('unknown')
    expect(publisher.ready).toBe(false)
    const sent = publisher.publish('queue', { id: 'b', body: {} })
    channel(0).confirms[1]?.()
    await sent
    expect(publisher.ready).toBe(true)
  })

  test('refuses messages while blocked, disconnected or over the limit', async () => {
    const { publisher, connection } = await connected({ maxInFlight: 1 })
    publisher.publish('queue', { id: 'a', body: {} }).catch(() => undefined)
    await expect(publisher.publish('queue', { id: 'b', body: {} })).rejects.toThrow(/1 messages already wait/)
    connection.emit('blocked', 'memory')
    await expect(publisher.publish('queue', { id: 'c', body: {} })).rejects.toThrow(/blocks publishers/)
    connection.emit('unblocked')
    connection.emit('disconnect', new Error('reset'))
    const failure = await publisher.publish('queue', { id: 'd', body: {} }).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(PublishError)
    expect(String(failure)).toContain('no connection to the broker at broker:5672: reset')
  })
})

describe('the consumer', () => {
  const message = (body: object) => ({
    content: Buffer.from(JSON.stringify(body)),
    properties: { messageId: 'id', headers: { 'x-delivery-count': 2 } },
    fields: { redelivered: true },
  })
  const names = (channel: FakeChannel) => channel.calls.map(([name]) => name)

  async function connected(handle: (delivery: Delivery) => Promise<void>, paused = false) {
    const broker = fakeBroker()
    const consumer = connectConsumer({ ...options, queue: 'queue', prefetch: 3, paused }, handle)
    await settled()
    await broker.open()
    return { ...broker, consumer }
  }

  test('hands over deliveries and settles each once', async () => {
    const seen: Delivery[] = []
    const { consumer, channel } = await connected(async (delivery) => {
      seen.push(delivery)
      delivery.ack()
      delivery.reject(true)
    })
    expect(consumer.ready).toBe(true)
    channel(0).deliver(message({ a: 1 }))
    await settled()
    expect(seen[0]).toMatchObject({ body: { a: 1 }, messageId: 'id', deliveryCount: 2, redelivered: true })
    expect(channel(0).calls).toEqual([['prefetch', 3], ['consume'], ['ack']])
    expect(consumer.inFlight).toBe(0)
  })

  test('requeues the message of a handler that throws', async () => {
    const { channel } = await connected(async () => {
      throw new Error('broken')
    })
    channel(0).deliver(message({}))
    await settled()
    expect(channel(0).calls.at(-1)).toEqual(['reject', true])
  })

  test('begins paused, resumes, pauses again, and subscribes again on a new connection', async () => {
    const { consumer, connection, channel, open } = await connected(async () => undefined, true)
    expect([consumer.connected, consumer.ready]).toEqual([true, false])
    consumer.resume()
    await settled()
    expect(consumer.ready).toBe(true)
    await consumer.pause()
    expect(names(channel(0))).toEqual(['prefetch', 'consume', 'cancel'])
    consumer.resume()
    connection.emit('disconnect', new Error('reset'))
    await settled()
    expect(consumer.connected).toBe(false)
    await open()
    expect([consumer.ready, names(channel(1))]).toEqual([true, ['prefetch', 'consume']])
  })

  test('does not settle a delivery of a lost connection', async () => {
    let delivery: Delivery | undefined
    const { connection, channel, open } = await connected(async (received) => {
      delivery = received
    })
    channel(0).deliver(message({}))
    connection.emit('disconnect', new Error('reset'))
    await open()
    delivery?.requeue()
    expect([...names(channel(0)), ...names(channel(1))]).not.toContain('nack')
  })

  test('drains: cancels the subscription and waits for the handler, and stays drained', async () => {
    let finish: () => void = () => undefined
    const { consumer, channel } = await connected(async (delivery) => {
      await new Promise<void>((resolve) => {
        finish = resolve
      })
      delivery.requeue()
    })
    channel(0).deliver(message({}))
    await settled()
    const drained = consumer.drain()
    consumer.resume()
    await settled()
    expect([consumer.ready, consumer.inFlight]).toEqual([false, 1])
    finish()
    await drained
    expect(names(channel(0))).toEqual(['prefetch', 'consume', 'cancel', 'nack'])
  })

  test('opens a new channel when the broker cancels the subscription', async () => {
    const { consumer, channel } = await connected(async () => undefined)
    channel(0).deliver(null)
    await settled()
    expect(consumer.connected).toBe(false)
  })
})
