import { createHash } from 'node:crypto'
import { defineScript, type RedisClient, runScript } from '@inference/common/redis.ts'
import { withPrefix } from './embed.ts'
import type { Diet, Recipe } from './recipe.ts'

/** Hash: the first 12 hex digits of a model's digest → the vector set of that model. */
const currentKey = 'recipes:current'
/** Sorted set: retired vector sets, by the second from which they may be deleted. */
const retiredKey = 'recipes:retired'

const shortDigest = (digest: string) => digest.slice(0, 12)

/** What is stored of a recipe: the text that is embedded, and the attributes that filters read. */
export function documentOf(recipe: Recipe, model: string): { id: string; text: string; attributes: object } {
  const { id, title, cuisine, minutes, tags, ingredients } = recipe
  const text = `${title}. ${cuisine} ${tags.join(' ')}. Ingredients: ${ingredients.map(({ name }) => name).join(', ')}`
  return { id, text: withPrefix(model, 'document', text), attributes: { minutes, tags } }
}

/** Name of the vector set for these documents and this model: equal input, equal name, so a job that runs again finds its work done. */
export function vectorSetName(digest: string, documents: object[]): string {
  const hash = createHash('sha256').update(JSON.stringify(documents)).digest('hex')
  return `recipes:vectors:${shortDigest(digest)}:${shortDigest(hash)}`
}

export type RecipeFilter = { maxMinutes?: number | undefined; diet?: Diet | undefined }
type Hit = { id: string; similarity: number }

/** There is no index for the model in use: the index Job has not run, or has not finished. */
export class IndexMissingError extends Error {
  override readonly name = 'IndexMissingError'
}

/** Name of the vector set in use for a model. Throws IndexMissingError. */
export async function currentVectorSet(client: RedisClient, digest: string): Promise<string> {
  const name = await client.hGet(currentKey, shortDigest(digest))
  if (!name) {
    throw new IndexMissingError(
      `Redis has no recipes for the embedding model ${shortDigest(digest)}; run the Job index-recipes`,
    )
  }
  return name
}

/**
 * The recipes nearest to a vector, best first; similarity from 0 to 1 (1: same direction). `exact` compares with every recipe
 * instead of walking the graph, for tests.
 */
export async function nearest(
  client: RedisClient,
  vectorSet: string,
  vector: number[],
  filter: RecipeFilter,
  count: number,
  exact = false,
): Promise<Hit[]> {
  const options = { COUNT: count, ...filterOption(filter), ...(exact && { TRUTH: true }) }
  const scores = await client.vSimWithScores(vectorSet, vector, options)
  return Object.entries(scores)
    .map(([id, similarity]) => ({ id, similarity: Number(similarity) }))
    .sort((a, b) => b.similarity - a.similarity || (a.id < b.id ? -1 : 1))
}

/** Candidates to examine when few pass the filter: all of them, since there are hundreds, not millions. */
const filterEffort = 10_000

/** Only validated numbers and fixed words reach the expression: no text of the caller. */
function filterOption({ maxMinutes, diet }: RecipeFilter): { FILTER?: string; 'FILTER-EF'?: number } {
  const terms = []
  if (maxMinutes !== undefined) terms.push(`.minutes <= ${maxMinutes}`)
  if (diet !== undefined) terms.push(`"${diet}" in .tags`)
  return terms.length === 0 ? {} : { FILTER: terms.join(' and '), 'FILTER-EF': filterEffort }
}

/** Ids that the vector set already has. An element and its attributes are added by one command, so none is partial. */
export async function presentIds(client: RedisClient, vectorSet: string, ids: string[]): Promise<Set<string>> {
  const attributes = await Promise.all(ids.map((id) => client.vGetAttr(vectorSet, id)))
  return new Set(ids.filter((_, i) => attributes[i] !== null))
}

/** Adds or overwrites elements. Not quantised: a few hundred vectors take under 1 MB, and scores stay exact. */
export async function addVectors(
  client: RedisClient,
  vectorSet: string,
  elements: { id: string; vector: number[]; attributes: object }[],
): Promise<void> {
  await Promise.all(
    elements.map(({ id, vector, attributes }) =>
      client.vAdd(vectorSet, vector, id, { QUANT: 'NOQUANT', SETATTR: { ...attributes } }),
    ),
  )
}

/** Elements in a vector set; 0 if there is none. */
export async function countVectors(client: RedisClient, vectorSet: string): Promise<number> {
  return client.vCard(vectorSet)
}

// Redis's clock, so that jobs on machines with different clocks agree.
const switchScript = defineScript(`
local now = tonumber(redis.call('TIME')[1])
local fields = redis.call('HGETALL', KEYS[1])
for i = 1, #fields, 2 do
  if fields[i + 1] ~= ARGV[2] then redis.call('ZADD', KEYS[2], 'NX', now + tonumber(ARGV[3]), fields[i + 1]) end
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('ZREM', KEYS[2], ARGV[2])
return 1`)

/**
 * Switches every gateway to a complete vector set for its model, atomically; all others retire and may be removed after
 * `graceSeconds`, since gateways of the previous release use them until they stop.
 */
export async function switchTo(
  client: RedisClient,
  digest: string,
  vectorSet: string,
  graceSeconds: number,
): Promise<void> {
  await runScript(
    client,
    switchScript,
    [currentKey, retiredKey],
    [shortDigest(digest), vectorSet, String(graceSeconds)],
  )
}

const sweepScript = defineScript(`
local now = redis.call('TIME')[1]
local due = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now)
local fields = redis.call('HGETALL', KEYS[1])
for _, name in ipairs(due) do
  redis.call('UNLINK', name)
  redis.call('ZREM', KEYS[2], name)
  for i = 1, #fields, 2 do
    if fields[i + 1] == name then redis.call('HDEL', KEYS[1], fields[i]) end
  end
end
return due`)

/** Removes the retired vector sets whose grace period is over; returns their names. One script, so a set that is in use again is kept. */
export async function removeRetired(client: RedisClient): Promise<string[]> {
  return (await runScript(client, sweepScript, [currentKey, retiredKey], [])) as string[]
}
