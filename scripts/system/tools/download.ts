import { createHash } from 'node:crypto'
import { renameSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { UsageError } from '#cli/errors.ts'
import { $, complaint } from '../shell.ts'
import { type Tool, type ToolName, tools } from './catalog.ts'
import type { Places } from './places.ts'
import { megabytes, secondsSince, Unavailable } from './unavailable.ts'

/** The machine as Go names it. */
const goPlatform = {
  os: process.platform === 'win32' ? 'windows' : process.platform,
  arch: { x64: 'amd64', arm64: 'arm64' }[process.arch as string] ?? process.arch,
}

/**
 * Downloads the upstream release into the folder `draft`. The checksum comes from the same place as the file: it proves that the transfer was
 * complete, not that upstream is honest.
 * @throws Unavailable where there is no release for this machine or it cannot be reached
 * @throws UsageError when the file does not match its checksum
 */
export async function download(name: ToolName, draft: string, places: Places): Promise<void> {
  const { version, release: releaseFor }: Tool = tools[name]
  const release = releaseFor(goPlatform.os, goPlatform.arch)
  if (release === undefined)
    throw new Unavailable(`release: upstream publishes none for ${goPlatform.os}/${goPlatform.arch}`)
  const began = Date.now()
  const url = places.mirror(release.url)
  const file = decodeURIComponent(new URL(release.url).pathname.split('/').at(-1) ?? name)
  const expected = await fetchChecksum(places.mirror(release.checksums), file)
  const archive = join(draft, 'download')
  const { sha256, bytes } = await fetchFile(url, archive, (line) => places.say(`${name} ${version}: ${line}`))
  if (sha256 !== expected) {
    throw new UsageError(
      `${name}: the download does not match its published checksum, so it is not installed\n  file     ${url}\n  expected ${expected} (${places.mirror(release.checksums)})\n  got      ${sha256}\nTry again; if it stays so, something between you and upstream changes the file.`,
    )
  }
  if (release.member === undefined) renameSync(archive, join(draft, name))
  else {
    const unpacked = await $`tar -xf ${archive} -C ${draft} ${release.member}`
    if (!unpacked.ok) throw new Unavailable(`release: ${file} cannot be unpacked (${complaint(unpacked)})`)
    renameSync(join(draft, release.member), join(draft, name))
  }
  places.say(`${name} ${version}: downloaded ${megabytes(bytes)}, sha256 as published, ${secondsSince(began)}`)
}

async function fetchChecksum(url: string, file: string): Promise<string> {
  const response = await get(url)
  const lines = (await response.text()).trim().split('\n')
  for (const line of lines) {
    const [sum, name] = line.trim().split(/\s+\*?/)
    const isOurs = name === undefined ? lines.length === 1 : name.replace(/^\.\//, '') === file
    if (isOurs && sum !== undefined && /^[0-9a-f]{64}$/.test(sum)) return sum
  }
  throw new UsageError(`${url} holds no sha256 for ${file}: nothing is installed that cannot be verified`)
}

async function fetchFile(
  url: string,
  path: string,
  say: (line: string) => void,
): Promise<{ sha256: string; bytes: number }> {
  const response = await get(url)
  const total = Number(response.headers.get('content-length') ?? 0)
  const hash = createHash('sha256')
  const file = await open(path, 'w')
  let bytes = 0
  let reported = Date.now()
  try {
    for await (const chunk of response.body ?? []) {
      hash.update(chunk)
      await file.write(chunk)
      bytes += chunk.length
      if (Date.now() - reported < 1000) continue
      reported = Date.now()
      say(`${megabytes(bytes)}${total > 0 ? ` of ${megabytes(total)}` : ''}`)
    }
  } catch (error) {
    throw new Unavailable(`release: ${url} broke off after ${megabytes(bytes)} (${reasonOf(error)})`)
  } finally {
    await file.close()
  }
  return { sha256: hash.digest('hex'), bytes }
}

async function get(url: string): Promise<Response> {
  let response: Response
  try {
    response = await fetch(url, { signal: AbortSignal.timeout(600_000) })
  } catch (error) {
    throw new Unavailable(`release: ${url} cannot be reached (${reasonOf(error)})`)
  }
  if (!response.ok) throw new Unavailable(`release: ${url} answered ${response.status}`)
  return response
}

function reasonOf(error: unknown): string {
  const cause = (error as { cause?: { code?: string; message?: string } }).cause
  return cause?.code ?? cause?.message ?? (error as Error).message
}
