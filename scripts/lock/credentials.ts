import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fields, text, type Value } from '#kubernetes/model/objects.ts'
import { withInput } from '#system/shell.ts'

export interface Login {
  readonly username: string
  readonly password: string
}

const hub = 'index.docker.io'
/** The key of Docker Hub in Docker's configuration file. */
export const hubKey = `https://${hub}/v1/`

/** The login that `docker login` or `podman login` stored for a registry; undefined where there is none. Read-only, and only for this registry. */
export async function loginFor(registry: string): Promise<Login | undefined> {
  const config = readConfig()
  const key = registry === 'docker.io' ? hubKey : registry
  const helper = text(fields(config.credHelpers)[key]) ?? text(config.credsStore)
  if (helper !== undefined) return queryHelper(helper, key)
  const encoded = text(fields(fields(config.auths)[key]).auth)
  if (!encoded) return undefined
  const decoded = Buffer.from(encoded, 'base64').toString()
  const colon = decoded.indexOf(':')
  return colon === -1 ? undefined : { username: decoded.slice(0, colon), password: decoded.slice(colon + 1) }
}

function readConfig(): Readonly<Record<string, Value>> {
  const folder = process.env.DOCKER_CONFIG ?? join(homedir(), '.docker')
  try {
    return fields(JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')))
  } catch {
    // No file, or one that Docker could not read either: public images need no login.
    return {}
  }
}

async function queryHelper(helper: string, key: string): Promise<Login | undefined> {
  try {
    const { ok, stdout } = await withInput(key)`docker-credential-${helper} get`
    if (!ok) return undefined
    const answer = fields(JSON.parse(stdout))
    const [username, password] = [text(answer.Username), text(answer.Secret)]
    return username === undefined || password === undefined ? undefined : { username, password }
  } catch {
    return undefined
  }
}
