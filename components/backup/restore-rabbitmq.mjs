// Adds the definitions of a dump that the broker lacks (users, queues, policies). Existing definitions are not changed: a broker takes its
// own users and queues from Git and its Secret when it starts, and a password that was changed since must not come back.
import { readdir, readFile } from 'node:fs/promises'

const address = 'http://rabbitmq:15672/api/definitions'
/** The keys that identify an entry, in any of the lists; two bindings may differ in their arguments alone. */
const identity = [
  'vhost',
  'name',
  'user',
  'component',
  'exchange',
  'source',
  'destination',
  'destination_type',
  'routing_key',
]

const path = await chooseDump()
console.log(`restoring ${path}`)
const dump = await readDump(path)
const password = (await readFile('/etc/inference/credentials/rabbitmq-password', 'utf8')).trimEnd()
const present = JSON.parse(await ask('GET'))
const missing = Object.fromEntries(
  Object.entries(dump)
    .filter(([, list]) => Array.isArray(list))
    .map(([kind, list]) => {
      const known = new Set((present[kind] ?? []).map((entry) => identify(kind, entry)))
      return [kind, list.filter((entry) => !known.has(identify(kind, entry)))]
    }),
)
await ask('POST', missing)
for (const [kind, list] of Object.entries(missing))
  if (dump[kind].length > 0) console.log(`${kind}: added ${list.length} of ${dump[kind].length}`)

/** The dump that DUMP names, else the newest: their names sort by time. */
async function chooseDump() {
  const dumps = (await readdir('/backups')).filter((name) => /^rabbitmq-.*\.json$/.test(name)).sort()
  const wanted = process.env.DUMP?.split('/').at(-1) || dumps.at(-1)
  if (wanted !== undefined && dumps.includes(wanted)) return `/backups/${wanted}`
  const lines = [
    `there is no dump ${wanted ?? 'rabbitmq-*.json'} to restore; the volume has ${dumps.length} by rabbitmq:`,
    ...dumps.map((name) => `  ${name}`),
  ]
  console.error(lines.join('\n'))
  process.exit(1)
}

async function readDump(file) {
  try {
    const definitions = JSON.parse(await readFile(file, 'utf8'))
    if (Array.isArray(definitions.queues) && Array.isArray(definitions.users)) return definitions
    throw new Error('it holds no queues or no users')
  } catch (error) {
    console.error(`${file} is damaged, nothing was restored: ${error.message}; name another one in DUMP`)
    process.exit(1)
  }
}

function identify(kind, entry) {
  return JSON.stringify([...identity.map((field) => entry[field]), kind === 'bindings' ? entry.arguments : undefined])
}

async function ask(method, definitions) {
  const response = await fetch(address, {
    method,
    headers: {
      authorization: `Basic ${Buffer.from(`backup:${password}`).toString('base64')}`,
      'content-type': 'application/json',
    },
    ...(definitions && { body: JSON.stringify(definitions) }),
    signal: AbortSignal.timeout(60_000),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`${method} ${address}: ${response.status} ${text}`)
  return text
}
