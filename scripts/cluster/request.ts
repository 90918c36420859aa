import { request } from 'node:https'
import { UsageError } from '#cli/errors.ts'
import { at, text } from '#kubernetes/model/objects.ts'
import { type Cluster, environmentNamespace } from './client.ts'
import { execute, readyPods } from './pods.ts'

/** The host of overlays/kind; browsers and curl take every name below `localhost` for this machine. */
export const gatewayHost = 'inference.localhost'

/** The limits of a key; the gateway's defaults where absent. */
interface KeyLimits {
  readonly name?: string
  readonly requestsPerMinute?: number
  readonly tokensPerDay?: number
}

/** Creates an API key with the program in the gateway's image. @throws UsageError when no gateway is ready, or with what it printed */
export async function createApiKey(cluster: Cluster, tenant: string, limits: KeyLimits = {}): Promise<string> {
  const { name, requestsPerMinute, tokensPerDay } = limits
  const options = [
    ...(name === undefined ? [] : ['--name', name]),
    ...(requestsPerMinute === undefined ? [] : ['--requests-per-minute', String(requestsPerMinute)]),
    ...(tokensPerDay === undefined ? [] : ['--tokens-per-day', String(tokensPerDay)]),
  ]
  const [pod] = await readyPods(cluster, environmentNamespace, 'gateway')
  const podName = pod?.metadata?.name
  if (podName === undefined) throw new UsageError('no gateway is ready to create an API key')
  const command = ['node', 'dist/keys.js', 'make', '--tenant', tenant, ...options]
  return (await execute(cluster, environmentNamespace, podName, 'gateway', command)).trim()
}

export interface Reply {
  readonly status: number
  readonly body: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

/**
 * A request through Traefik, as a client of this machine makes it. The certificate has to be the one of the Secret `gateway-tls`.
 * @param certificate PEM
 */
export function callGateway(
  port: number,
  certificate: string,
  path: string,
  options: { method?: string; headers?: Record<string, string>; body?: string; timeoutMs?: number } = {},
): Promise<Reply> {
  const { method = 'GET', headers = {}, body, timeoutMs = 60_000 } = options
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        host: '127.0.0.1',
        port,
        path,
        method,
        servername: gatewayHost,
        ca: certificate,
        timeout: timeoutMs,
        headers: {
          host: gatewayHost,
          ...headers,
          ...(body !== undefined && {
            'content-type': 'application/json',
            'content-length': String(Buffer.byteLength(body)),
          }),
        },
      },
      (answer) => {
        const chunks: Buffer[] = []
        answer.on('data', (chunk: Buffer) => chunks.push(chunk))
        answer.on('error', reject)
        answer.on('end', () =>
          resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks).toString(), headers: answer.headers }),
        )
      },
    )
    outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)))
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

/** A value of a Secret, as text; empty where the Secret has no such key. */
export async function secretValue(cluster: Cluster, namespace: string, name: string, key: string): Promise<string> {
  const { data } = await cluster.core.readNamespacedSecret({ namespace, name })
  return Buffer.from(data?.[key] ?? '', 'base64').toString()
}

/** The certificate that the Gateway presents, as PEM. */
export async function gatewayCertificate(cluster: Cluster): Promise<string> {
  return secretValue(cluster, environmentNamespace, 'gateway-tls', 'tls.crt')
}

/**
 * Asks the chat model by the OpenAI API and waits for the answer.
 * @throws UsageError when there is none, with the gateway's answer
 */
export async function askChat(
  cluster: Cluster,
  port: number,
  key: string,
  question: string,
): Promise<{ text: string; ms: number }> {
  const began = Date.now()
  const body = JSON.stringify({
    model: 'tiny-chat:latest',
    messages: [{ role: 'user', content: question }],
    max_tokens: 32,
  })
  const certificate = await gatewayCertificate(cluster)
  const reply = await callGateway(port, certificate, '/v1/chat/completions', {
    method: 'POST',
    headers: { authorization: `Bearer ${key}` },
    body,
    timeoutMs: 120_000,
  }).catch((error: Error) => {
    throw new UsageError(`https://${gatewayHost}:${port} does not answer: ${error.message}`)
  })
  if (reply.status !== 200) throw new UsageError(`the gateway answered ${reply.status}: ${reply.body.slice(0, 500)}`)
  const answer = text(at(JSON.parse(reply.body), 'choices', 0, 'message', 'content')) ?? ''
  return { text: answer, ms: Date.now() - began }
}
