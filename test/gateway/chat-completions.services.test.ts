import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { makeTestKey, startTestGateway, type TestGateway } from '../support/gateway.ts'
import { takeAll } from '../support/queues.ts'
import { startStandInWorker } from '../support/stand-in-worker.ts'

const services = inject('services')
const model = 'tiny-chat:latest'

describe.skipIf(services === null)('the OpenAI-compatible API, with the openai client', () => {
  if (services === null) return
  let gateway: TestGateway
  let worker: { stop(): Promise<void> }
  let client: OpenAI

  beforeAll(async () => {
    await takeAll(services.rabbitmq.url, 'ai-requests')
    gateway = await startTestGateway(services, { JOB_TIMEOUT_SECONDS: 2 })
    worker = await startStandInWorker(services.rabbitmq.url, services.redis.url)
    const { key } = await makeTestKey(services.redis.url)
    client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: key, maxRetries: 0 })
  })
  afterAll(async () => {
    await worker?.stop()
    await gateway?.stop()
  })

  const ask = (content: string) => ({ model, messages: [{ role: 'user' as const, content }] })

  it('lists the model', async () => {
    const models = await client.models.list()
    expect(models.data.map(({ id }) => id)).toEqual([model])
  })

  it('completes', async () => {
    const completion = await client.chat.completions.create({
      model,
      messages: [
        { role: 'developer', content: 'Be brief' },
        { role: 'user', content: [{ type: 'text', text: 'Say hello' }] },
      ],
      max_completion_tokens: 20,
      // As many frameworks send them by default.
      top_p: 1,
      presence_penalty: 0,
      frequency_penalty: 0,
    })
    expect(completion).toMatchObject({
      id: expect.stringMatching(/^chatcmpl-/),
      object: 'chat.completion',
      model,
      choices: [
        { index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'Hello from the stand-in' } },
      ],
      usage: { prompt_tokens: 5, completion_tokens: 4, total_tokens: 9 },
    })
  })

  it('streams, with the usage at the end', async () => {
    const stream = await client.chat.completions.create({
      ...ask('slow'),
      stream: true,
      stream_options: { include_usage: true },
    })
    const chunks = []
    for await (const chunk of stream) chunks.push(chunk)
    const text = chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '')
    expect(text.filter((part) => part !== '')).toEqual(['Hello', ' from', ' the', ' stand-in'])
    expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe('stop')
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: 9 } })
  })

  it('continues a stream that another worker restarts, without repeating a word', async () => {
    let text = ''
    for await (const chunk of await client.chat.completions.create({ ...ask('restart'), stream: true })) {
      text += chunk.choices[0]?.delta.content ?? ''
    }
    expect(text).toBe('Hello from the stand-in')
  })

  it('ends a stream with an error when the restarted text differs', async () => {
    const stream = await client.chat.completions.create({ ...ask('restart-differently'), stream: true })
    await expect(async () => {
      for await (const _ of stream);
    }).rejects.toThrow(/was restarted and its text differs/)
  })

  it.each([
    ['invalid', 400],
    ['timeout', 504],
    ['overloaded', 503],
    ['model', 502],
    ['internal', 502],
  ])('answers a failure of class %s with %i', async (failure, status) => {
    await expect(client.chat.completions.create(ask(`fail:${failure}`))).rejects.toMatchObject({
      status,
      message: expect.stringContaining(`failed on request: ${failure}`),
    })
    const stream = await client.chat.completions.create({ ...ask(`fail:${failure}`), stream: true })
    await expect(async () => {
      for await (const _ of stream);
    }).rejects.toThrow(`failed on request: ${failure}`)
  })

  it('answers 504 after the timeout, which the client does not retry', async () => {
    const retrying = new OpenAI({ baseURL: client.baseURL, apiKey: client.apiKey, maxRetries: 2 })
    const error = await retrying.chat.completions.create(ask('never')).catch((error) => error)
    expect(error).toMatchObject({ status: 504, code: 'generation_timeout' })
    expect(error.headers.get('x-should-retry')).toBe('false')
  })

  it('returns the same answer for the same idempotency key', async () => {
    const options = { headers: { 'idempotency-key': 'chat-once' } }
    const first = await client.chat.completions.create(ask('Say hello'), options)
    const again = await client.chat.completions.create(ask('Say hello'), options)
    expect(again.id).toBe(first.id)
    expect(again.choices).toEqual(first.choices)
  })

  it.each([
    ['an unknown model', { ...ask('x'), model: 'gpt-4o' }, 404, /tiny-chat/],
    ['several choices', { ...ask('x'), n: 2 }, 400, /n must/],
    ['tools', { ...ask('x'), tools: [] }, 400, /tools/],
    ['a JSON format', { ...ask('x'), response_format: { type: 'json_object' as const } }, 400, /response_format/],
    ['top_p', { ...ask('x'), top_p: 0.5 }, 400, /top_p must be 1/],
    ['a penalty', { ...ask('x'), frequency_penalty: 1 }, 400, /frequency_penalty must be 0/],
    ['a prompt that is too long', ask('x'.repeat(16_001)), 400, /16000/],
  ])('rejects %s', async (_name, body, status, message) => {
    await expect(client.chat.completions.create(body)).rejects.toMatchObject({
      status,
      message: expect.stringMatching(message),
    })
  })

  it('answers an invalid key as clients expect', async () => {
    const stranger = new OpenAI({ baseURL: client.baseURL, apiKey: `inf_${'x'.repeat(43)}`, maxRetries: 0 })
    await expect(stranger.models.list()).rejects.toBeInstanceOf(OpenAI.AuthenticationError)
  })
})
