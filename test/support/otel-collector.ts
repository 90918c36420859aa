import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './containers.ts'
import { waitUntil } from './gateway.ts'

/** A span as received; attributes by name. */
export type ReceivedSpan = {
  resource: Record<string, unknown>
  traceId: string
  spanId: string
  parentSpanId: string
  name: string
  kind: string
  attributes: Record<string, unknown>
  events: string[]
  failed: boolean
  /** Nanoseconds since 1970. */
  start: bigint
  end: bigint
}

export type OtelCollector = {
  /** For OTEL_EXPORTER_OTLP_ENDPOINT. */
  url: string
  /** All received spans. */
  text(): string
  spans(): ReceivedSpan[]
  stop(): Promise<void>
}

const kinds = ['UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER']

/** The real OpenTelemetry Collector, which accepts OTLP over HTTP and writes each batch to a file as a line of JSON. */
export async function startOtelCollector(program: string, port?: number): Promise<OtelCollector> {
  const listens = port ?? (await freePort())
  const folder = mkdtempSync(join(tmpdir(), 'otel-collector-'))
  const [configuration, output] = [join(folder, 'config.yaml'), join(folder, 'traces.jsonl')]
  writeFileSync(
    configuration,
    JSON.stringify({
      receivers: { otlp: { protocols: { http: { endpoint: `127.0.0.1:${listens}` } } } },
      exporters: { file: { path: output, flush_interval: '100ms' } },
      service: {
        telemetry: { metrics: { level: 'none' }, logs: { level: 'warn' } },
        pipelines: { traces: { receivers: ['otlp'], exporters: ['file'] } },
      },
    }),
  )
  const child = spawn(program, ['--config', `file:${configuration}`], { stdio: ['ignore', 'inherit', 'inherit'] })
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const failed = exited.then(() => {
    throw new Error('the OpenTelemetry Collector has exited; its output is above')
  })
  await Promise.race([waitUntil(() => isListening(listens), 'the OpenTelemetry Collector listens', 30), failed])
  failed.catch(() => undefined)

  const text = () => readFileSync(output, 'utf8')
  return {
    url: `http://127.0.0.1:${listens}`,
    text,
    // The last line may be incomplete.
    spans: () => text().split('\n').slice(0, -1).flatMap(spansOf),
    async stop() {
      child.kill('SIGTERM')
      await exited
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.end())
  })
}

type Attribute = { key: string; value: Value }
type Value = {
  stringValue?: string
  intValue?: string
  doubleValue?: number
  arrayValue?: { values: Value[] }
}
type Batch = {
  resourceSpans: {
    resource: { attributes: Attribute[] }
    scopeSpans: {
      spans: {
        traceId: string
        spanId: string
        parentSpanId?: string
        name: string
        kind: number
        startTimeUnixNano: string
        endTimeUnixNano: string
        attributes?: Attribute[]
        events?: { name: string }[]
        status?: { code?: number }
      }[]
    }[]
  }[]
}

function spansOf(line: string): ReceivedSpan[] {
  const { resourceSpans } = JSON.parse(line) as Batch
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map((span) => ({
        resource: byName(resource.attributes),
        traceId: span.traceId,
        spanId: span.spanId,
        parentSpanId: span.parentSpanId ?? '',
        name: span.name,
        kind: kinds[span.kind] ?? String(span.kind),
        attributes: byName(span.attributes ?? []),
        events: (span.events ?? []).map(({ name }) => name),
        failed: span.status?.code === 2,
        start: BigInt(span.startTimeUnixNano),
        end: BigInt(span.endTimeUnixNano),
      })),
    ),
  )
}

function byName(attributes: Attribute[]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, plain(value)]))
}

function plain(value: Value): unknown {
  if (value.intValue !== undefined) return Number(value.intValue)
  return value.stringValue ?? value.doubleValue ?? value.arrayValue?.values.map(plain)
}
