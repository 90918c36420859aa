import { Agent, type RequestOptions, request } from 'node:https'
import { setTimeout as pause } from 'node:timers/promises'
import { KubeConfig } from '@kubernetes/client-node'
import { UsageError } from '#cli/errors.ts'
import { at, fields, items, type KubeObject, toObject, type Value } from '#kubernetes/model/objects.ts'
import { run } from '#system/process.ts'
import { tool } from '#system/tools.ts'

/** The kind cluster of `npm run up`, and the kubectl context that kind gives it. */
export const clusterName = 'inference'
export const clusterContext = `kind-${clusterName}`

/** The Application of this cluster's environment, and the namespace that it fills. */
export const environmentNamespace = 'inference-kind'

/** An API server that can be asked. */
export interface Cluster {
  readonly context: string
  /** The answer to a GET, parsed; undefined when the server has no such object or API. */
  get(path: string): Promise<Value>
  /** The same as plain text, such as the metrics of a pod behind the API server's proxy. */
  raw(path: string): Promise<string | undefined>
  /** All objects of a list, such as `/api/v1/pods`; none when the server does not serve that API. */
  list(path: string): Promise<KubeObject[]>
  /** Runs the pinned kubectl against this cluster and gives what it prints. @throws UsageError with what kubectl said */
  kubectl(args: readonly string[], input?: string): Promise<string>
}

/**
 * The cluster of a kubectl context; undefined means the current one.
 * @throws UsageError when the kubeconfig has no such context
 */
export async function connectCluster(wanted?: string): Promise<Cluster> {
  const config = new KubeConfig()
  config.loadFromDefault()
  const known = config.getContexts().map(({ name }) => name)
  const context = wanted ?? config.getCurrentContext()
  // Without any kubeconfig the client makes up a context of this name for localhost:8080, where nobody listens.
  if (context === 'loaded-context' || !known.includes(context)) {
    const choice = known.filter((name) => name !== 'loaded-context')
    throw new UsageError(
      `the kubeconfig has no context "${context === 'loaded-context' ? '(current)' : context}"; expected ${choice.length === 0 ? 'one, but it has none' : `one of ${choice.join(', ')}`}. For a cluster on this machine: npm run up`,
    )
  }
  config.setCurrentContext(context)
  const server = new URL(config.getCurrentCluster()?.server ?? '')
  const kubectl = await tool('kubectl')

  const access: RequestOptions = { method: 'GET', host: server.hostname, port: server.port || 443, timeout: 15_000 }
  await config.applyToHTTPSOptions(access)
  // One connection for all questions: a handshake costs both sides more than most answers. An agent for a proxy stays as it is.
  if (access.agent instanceof Agent) access.agent = new Agent({ ...access.agent.options, keepAlive: true })

  async function raw(path: string): Promise<string | undefined> {
    const options = { ...access, path }
    let answer = await exchange(options)
    // A server that is busy, or that serves a definition from this moment on, says so; kubectl asks again as well.
    for (let tries = 0; answer.status === 429 && tries < 10; tries++) {
      await pause(1000)
      answer = await exchange(options)
    }
    const { status, body } = answer
    if (status === 404) return undefined
    if (status !== 200) throw new UsageError(`GET ${path} was answered ${status}: ${body.slice(0, 300)}`)
    return body
  }
  async function get(path: string): Promise<Value> {
    const body = await raw(path)
    return body === undefined ? undefined : (JSON.parse(body) as Value)
  }

  return {
    context,
    get,
    raw,
    async list(path) {
      const answer = await get(path)
      // The items of a list do not repeat the kind that the list's own kind names.
      const kind = String(at(answer, 'kind') ?? '').replace(/List$/, '')
      const apiVersion = at(answer, 'apiVersion')
      return items(at(answer, 'items')).flatMap((raw) => toObject({ kind, apiVersion, ...fields(raw) }) ?? [])
    },
    async kubectl(args, input) {
      const { code, stdout, stderr } = await run(kubectl, ['--context', context, ...args], input)
      if (code !== 0) throw new UsageError(`kubectl ${args.slice(0, 6).join(' ')} failed: ${stderr.trim()}`)
      return stdout
    },
  }
}

function exchange(options: RequestOptions): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = request(options, (answer) => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk))
      answer.on('error', reject)
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks).toString() }))
    })
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer within 15 s')))
    outgoing.on('error', (error) =>
      reject(
        new UsageError(
          `the cluster does not answer (${error.message}). Is it running? npm run up makes it or mends it`,
        ),
      ),
    )
    outgoing.end()
  })
}
