/** A value that says where a program connects to: a URL, or a host with a port. */
export interface Address {
  readonly scheme: string | undefined
  readonly host: string
  /** The scheme's own port when the address names none. */
  readonly port: number | undefined
}

/** Schemes of connections, with the ports that IANA or their project gave them; other schemes (`s3:`, `file:`) name no host. */
const defaultPorts: Readonly<Record<string, number | undefined>> = {
  amqp: 5672,
  amqps: 5671,
  grpc: undefined,
  http: 80,
  https: 443,
  kafka: 9092,
  mongodb: 27017,
  mysql: 3306,
  nats: 4222,
  postgres: 5432,
  postgresql: 5432,
  redis: 6379,
  rediss: 6379,
  tcp: undefined,
  ws: 80,
  wss: 443,
}

export const host = '[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?'

const url = new RegExp(`^(?:jdbc:)?([a-z][a-z0-9+.-]*)://(?:[^\\s@/]*@)?(${host})(?::(\\d{1,5}))?(?:[/?#].*)?$`, 'i')

const hostAndPort = new RegExp(`^(?:[^\\s@/]*@)?(${host}):(\\d{1,5})(?:/.*)?$`)

/** Reads a URL or `host:port`; undefined when the text is neither, or a URL that names no host. */
export function toAddress(value: string): Address | undefined {
  const full = url.exec(value)
  if (full !== null) {
    const scheme = (full[1] ?? '').toLowerCase()
    if (!Object.hasOwn(defaultPorts, scheme)) return undefined
    return { scheme, host: full[2] ?? '', port: full[3] === undefined ? defaultPorts[scheme] : Number(full[3]) }
  }
  const short = hostAndPort.exec(value)
  return short === null ? undefined : { scheme: undefined, host: short[1] ?? '', port: Number(short[2]) }
}
