import { type ChannelModel, connect, type RecoveringChannelModel } from 'amqplib'
import type { Log } from '../log.ts'
import type { Attributes, Tracer } from '../trace.ts'

export type BrokerOptions = {
  url: string
  username: string
  password: string
  /** Connection name, shown by the management page. */
  name: string
  log: Log
  /** Records a span for each message published and for each handled. */
  tracer?: Tracer | undefined
}

type ConnectionHandlers = {
  /** Runs after each successful connection; if it throws, the connection is closed and opened again. */
  opened(model: ChannelModel): Promise<void>
  lost(): void
}

/**
 * One connection that reconnects forever, 100 ms to 10 s apart. Heartbeat 10 s (a dead peer is noticed within 20 s), Nagle off. Returns
 * immediately.
 */
export function connectWithReconnect(options: BrokerOptions, handlers: ConnectionHandlers) {
  const { log } = options
  const { href, address } = addressOf(options)
  let blocked = false
  let lastError = 'not connected yet'
  const model: Promise<RecoveringChannelModel> = connect(href, {
    noDelay: true,
    timeout: 5000,
    clientProperties: { connection_name: options.name },
    recovery: {
      initialDelay: 100,
      maxDelay: 10_000,
      waitForConnect: false,
      setup: (opened: ChannelModel) => handlers.opened(opened),
    },
  }).then((connection) => {
    connection.on('connect', () => {
      blocked = false
      lastError = ''
      log.info({ broker: address }, 'broker connected')
    })
    const failed = (error: Error) => {
      handlers.lost()
      if (error.message !== lastError) log.warn({ broker: address, error: error.message }, 'broker unavailable')
      lastError = error.message
    }
    connection.on('connect-failed', failed)
    connection.on('disconnect', failed)
    connection.on('error', failed)
    connection.on('blocked', (reason) => {
      blocked = true
      log.warn({ broker: address, reason }, 'the broker blocks publishers (memory or disk alarm)')
    })
    connection.on('unblocked', () => {
      blocked = false
      log.info({ broker: address }, 'the broker accepts messages again')
    })
    return connection
  })

  return {
    get blocked() {
      return blocked
    },
    problem: () =>
      blocked
        ? `the broker at ${address} blocks publishers`
        : `no connection to the broker at ${address}: ${lastError}`,
    close: async () => (await model).close(),
  }
}

/** The URL with login and heartbeat, and `host:port` for the log. */
function addressOf({ url, username, password }: BrokerOptions): { href: string; address: string } {
  const target = new URL(url)
  target.username = encodeURIComponent(username)
  target.password = encodeURIComponent(password)
  target.searchParams.set('heartbeat', '10')
  return { href: target.href, address: `${target.hostname}:${target.port || '5672'}` }
}

/**
 * Attributes of the span of a message: `name` and `type` of the operation.
 * @see https://opentelemetry.io/docs/specs/semconv/messaging/rabbitmq/
 */
export function messageAttributes(
  brokerUrl: string,
  message: { queue: string; id: string },
  name: string,
  type: string,
): Attributes {
  const { hostname, port } = new URL(brokerUrl)
  return {
    'server.address': hostname,
    'server.port': Number(port || 5672),
    'messaging.system': 'rabbitmq',
    'messaging.operation.name': name,
    'messaging.operation.type': type,
    'messaging.destination.name': message.queue,
    'messaging.message.id': message.id,
  }
}
