import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { UsageError } from '#cli/errors.ts'
import { parseImage } from '#kubernetes/model/image.ts'
import { parseVersions, versionsFile } from '#promotion/values.ts'
import { writeAtomically } from '#system/atomic-write.ts'
import { eachParallel } from '#system/process.ts'
import type { Advice } from '#text/advice.ts'
import type { createClient } from './registry.ts'

/** The outcome for one image. */
interface Outcome {
  /** `images.redis` */
  readonly key: string
  readonly before: string
  /** With its digest; undefined where it could not be resolved. */
  readonly after: string | undefined
  readonly refusal?: Advice
}

type Client = ReturnType<typeof createClient>

/**
 * Resolves the digests of an environment's images at their registries: of those without a digest, or of all.
 * @throws UsageError when an image is not a valid reference with registry and tag
 */
export async function resolveImages(
  root: string,
  environment: string,
  client: Client,
  all: boolean,
): Promise<Outcome[]> {
  const file = versionsFile(environment)
  const images = [...parseVersions(readFileSync(join(root, file), 'utf8'), file)].filter(([key]) =>
    key.startsWith('images.'),
  )
  const wanted = images.filter(([, image]) => all || !image.includes('@'))
  return Promise.all(eachParallel(wanted, ([key, image]) => resolveImage(key, image, client, file)))
}

async function resolveImage(key: string, image: string, client: Client, file: string): Promise<Outcome> {
  const parsed = parseImage(image)
  if (parsed?.registry === undefined || parsed.tag === undefined)
    throw new UsageError(
      `${file}: ${key} is "${image}"; expected registry/repository:tag, such as docker.io/library/redis:8.2.3`,
    )
  const { registry, repository, tag } = parsed
  const answer = await client.resolve(registry, repository, tag)
  if ('refusal' in answer) return { key, before: image, after: undefined, refusal: answer.refusal }
  return { key, before: image, after: `${registry}/${repository}:${tag}@${answer.digest}` }
}

/** Writes the digests into the file, atomically and without changing anything else in it. */
export function writeDigests(root: string, environment: string, outcomes: readonly Outcome[]): void {
  const file = join(root, versionsFile(environment))
  let content = readFileSync(file, 'utf8')
  for (const { key, before, after = before } of outcomes) {
    const line = new RegExp(
      `^( +${key.replace('images.', '')}:\\s+["']?)${escapeRegExp(before)}(["']?\\s*(?:#.*)?)$`,
      'm',
    )
    content = content.replace(line, (_, start: string, end: string) => `${start}${after}${end}`)
  }
  writeAtomically(file, content)
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
