import { setTimeout as pause } from 'node:timers/promises'
import OpenAI from 'openai'
import { callGateway, gatewayHost } from '#cluster/request.ts'
import { until } from '#cluster/wait.ts'
import { at, items, text } from '#kubernetes/model/objects.ts'
import { findChromium, startChromium } from '../../test/support/browser.ts'
import { forward } from '../cluster.ts'
import { call } from '../gateway.ts'
import { namespace, type Run, type Scenario } from '../run.ts'

export default {
  name: 'request',
  title: 'Inference by HTTP, events and the OpenAI client; the recipes and their page',
  async run(run) {
    await inference(run)
    await openai(run)
    const found = await callGateway(run.httpsPort, run.certificate, '/api/recipes?ingredients=lentils')
    run.expect(
      'recipes are found',
      found.status === 200 && items(at(JSON.parse(found.body), 'recipes')).length > 0,
      `${found.status} ${found.body.slice(0, 200)}`,
    )
    await page(run)
  },
} satisfies Scenario

async function inference(run: Run): Promise<void> {
  const began = Date.now()
  const submitted = await call(run, '/api/v1/inference', { prompt: 'What can I cook with lentils?', maxTokens: 24 })
  run.expect('a prompt is accepted with 202', submitted.status === 202, `${submitted.status} ${submitted.body}`)
  const id = text(at(JSON.parse(submitted.body), 'id')) ?? ''
  const events = call(run, `/api/v1/inference/${id}/events`)
  const done = await until(
    60_000,
    async () => at(JSON.parse((await call(run, `/api/v1/inference/${id}`)).body), 'status') === 'succeeded',
  )
  run.expect('it succeeds', done !== undefined)
  run.measure('first request, from no worker to its result', (Date.now() - began) / 1000, 's')
  const { body } = await events
  run.expect(
    'its events stream tokens and end',
    body.includes('event: token') && body.includes('event: finished'),
    body.slice(0, 300),
  )
}

/** The OpenAI client brings its own HTTP and does not trust our certificate, so it uses a port-forward. */
async function openai(run: Run): Promise<void> {
  const url = await forward(run, namespace, 'gateway', 80)
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: run.key, maxRetries: 0 })
  const question = {
    model: 'tiny-chat:latest',
    messages: [{ role: 'user' as const, content: 'Soup?' }],
    max_tokens: 16,
  }
  const answer = await client.chat.completions.create(question)
  run.expect('the OpenAI client gets an answer', (answer.choices[0]?.message.content ?? '') !== '')
  let streamed = ''
  for await (const chunk of await client.chat.completions.create({ ...question, stream: true }))
    streamed += chunk.choices[0]?.delta.content ?? ''
  run.expect('and a streamed one', streamed !== '')
}

async function page(run: Run): Promise<void> {
  const chromium = findChromium()
  if (chromium === undefined) return
  const browser = await startChromium(chromium)
  run.cleanup(() => browser.close())
  const context = await browser.newContext({ ignoreHTTPSErrors: true })
  const tab = await context.newPage()
  await tab.goto(`https://${gatewayHost}:${run.httpsPort}/`)
  await tab.locator('input').first().fill('lentils')
  const shown = await until(15_000, async () => (await tab.locator('main article, main li').count()) > 0)
  run.expect('the page in Chromium shows recipes for what is typed', shown !== undefined)
  await pause(100)
  await browser.close()
}
