// Saves the definitions of the broker (users, queues, policies), then removes files that are too old. Messages are not
// saved: they are in three brokers, and a client repeats a request that all three have lost.
import { readdir, readFile, rename, stat, unlink, writeFile } from 'node:fs/promises'

const password = (await readFile('/etc/inference/credentials/rabbitmq-password', 'utf8')).trimEnd()
const response = await fetch('http://rabbitmq:15672/api/definitions', {
  headers: { authorization: `Basic ${Buffer.from(`backup:${password}`).toString('base64')}` },
  signal: AbortSignal.timeout(30_000),
})
if (!response.ok) throw new Error(`http://rabbitmq:15672/api/definitions: ${response.status} ${await response.text()}`)
const definitions = await response.text()
const { queues, users } = JSON.parse(definitions)

const file = `/backups/rabbitmq-${new Date().toISOString().slice(0, 19).replaceAll(':', '-')}Z.json`
await writeFile(`${file}.part`, definitions, { mode: 0o600 })
await rename(`${file}.part`, file)
console.log(`${file}: ${queues.length} queues, ${users.length} users`)

const oldest = Date.now() - Number(process.env.RETENTION_DAYS) * 24 * 3600 * 1000
for (const name of await readdir('/backups')) {
  const path = `/backups/${name}`
  if (name.startsWith('rabbitmq-') && (await stat(path)).mtimeMs < oldest) {
    await unlink(path)
    console.log(`${path}: removed`)
  }
}
