import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import Type from 'typebox'
import type { Context } from '../context.ts'
import { authenticate, fromRedis, requireToken } from '../plugins/authentication.ts'
import { Problem, problemBody, unavailable } from '../plugins/problems.ts'
import { hashKey } from '../requests/api-keys.ts'
import { linksOf } from '../requests/request-status.ts'
import { errorResponses } from '../routes/schemas.ts'
import { createQueryEmbedder, EmbeddingError } from './embed.ts'
import { servePage } from './page.ts'
import { loadRecipes } from './recipe.ts'
import { type FoundRecipe, searchRecipes } from './search.ts'
import { IndexMissingError } from './store.ts'
import { grantAccess, pageCaller, registerPageCaller, type Search, suggestionFor } from './suggestion.ts'
import { take, visitorLimits, visitorOf } from './visitors.ts'

/** The OpenAPI document has the same numbers. */
const recipeLimits = { ingredients: 12, ingredientCharacters: 40, recipes: 20, maxMinutes: 240 } as const

/** Milliseconds that embedding a query may take; it is some 20 ms of work, so this is an outage. */
const embedTimeoutMs = 5000

const QuerySchema = Type.Object(
  {
    ingredients: Type.Array(Type.String({ minLength: 1, maxLength: recipeLimits.ingredientCharacters }), {
      minItems: 1,
      maxItems: recipeLimits.ingredients,
      description:
        "Available ingredients, separated by commas. Characters other than letters, digits, spaces and - ' & . % are ignored",
      examples: [['tomato', 'basil']],
    }),
    maxMinutes: Type.Optional(
      Type.Integer({ minimum: 5, maximum: recipeLimits.maxMinutes, description: 'Total time' }),
    ),
    diet: Type.Optional(Type.Enum(['vegetarian', 'vegan'])),
    limit: Type.Integer({ minimum: 1, maximum: recipeLimits.recipes, default: 10 }),
    suggestion: Type.Boolean({ default: true, description: 'Whether the model also suggests a dish' }),
  },
  // Lists are separated by commas, not repeated.
  { style: 'form', explode: false },
)

const RecipeSchema = Type.Object({
  id: Type.String(),
  title: Type.String(),
  cuisine: Type.String(),
  minutes: Type.Integer(),
  servings: Type.Integer(),
  tags: Type.Array(Type.String()),
  ingredients: Type.Array(
    Type.Object({
      name: Type.String(),
      amount: Type.String(),
      have: Type.Boolean({ description: 'Whether it is one of the requested ingredients' }),
    }),
  ),
  steps: Type.Array(Type.String()),
  score: Type.Number({
    description: 'Ranks the recipes, 0 to 1: 70 % similarity, 30 % share of the requested ingredients',
  }),
  similarity: Type.Number({ description: 'Similarity of the vectors of search and recipe, 0 to 1' }),
  has: Type.Array(Type.String(), { description: 'Requested ingredients that the recipe uses' }),
  misses: Type.Array(Type.String(), { description: 'Requested ingredients that it does not use' }),
})

const SuggestionSchema = Type.Object({
  id: Type.String({ format: 'uuid' }),
  links: Type.Object({ self: Type.String(), events: Type.String() }),
  accessToken: Type.Optional(
    Type.String({
      description:
        'For callers without an API key: grants access to both links as `Authorization: Bearer`, for a short time',
    }),
  ),
})

const ResponseSchema = Type.Object({
  ingredients: Type.Array(Type.String(), { description: 'As parsed' }),
  recipes: Type.Array(RecipeSchema),
  suggestion: Type.Optional(SuggestionSchema),
  suggestionProblem: Type.Optional(
    Type.Object(
      {
        status: Type.Integer(),
        title: Type.String(),
        detail: Type.String(),
        retryAfter: Type.Optional(Type.Integer()),
      },
      { description: 'Why there is no suggestion, although one was requested; the recipes are valid' },
    ),
  ),
})

/** `/` is the recipe page, GET /api/recipes its API; docs/architecture.md, «Recipes». */
export const recipeRoutes: FastifyPluginAsyncTypebox = async (app) => {
  const { context } = app
  const { config, redis } = context
  const { client } = redis
  const recipes = new Map(loadRecipes().map((recipe) => [recipe.id, recipe]))
  const embedder = createQueryEmbedder(config.OLLAMA_URL, config.EMBED_MODEL, embedTimeoutMs)

  servePage(app)

  app.route({
    method: 'GET',
    url: '/api/recipes',
    schema: {
      operationId: 'searchRecipes',
      summary: 'Search recipes by ingredients, with an optional generated suggestion',
      description:
        'An API key is optional. Without one, each client address is limited to ' +
        `${visitorLimits.searches.count} searches per minute and ${visitorLimits.suggestions.count} suggestions per hour. ` +
        'The same search returns the same suggestion for ten minutes.',
      tags: ['recipes'],
      security: [{}, { apiKey: [] }],
      querystring: QuerySchema,
      response: { 200: ResponseSchema, ...errorResponses(400, 401, 429, 503) },
    },
    async preValidation(request) {
      // Query parameters are strings, and the server does not convert them.
      const query = request.query as Record<string, unknown>
      query.ingredients = splitIngredients(query.ingredients)
      for (const name of ['maxMinutes', 'limit'] as const) {
        if (/^\d{1,9}$/.test(String(query[name]))) query[name] = Number(query[name])
      }
      if (query.suggestion === 'true' || query.suggestion === 'false') query.suggestion = query.suggestion === 'true'
    },
    async handler(request, reply) {
      const { ingredients, maxMinutes, diet, limit } = request.query
      const caller = await callerOf(context, request)
      if (caller.visitor !== undefined) await chargeVisitor(context, caller.visitor, 'searches')

      const filter = { maxMinutes, diet }
      const found = await search(ingredients, filter, limit)
      reply.header('cache-control', 'no-store')
      if (!request.query.suggestion || found.length === 0 || isCrossSite(request))
        return { ingredients, recipes: found }
      return {
        ingredients,
        recipes: found,
        ...(await suggest(caller, { ingredients, filter, found }, request.traceparent)),
      }
    },
  })

  async function search(ingredients: string[], filter: Search['filter'], limit: number): Promise<FoundRecipe[]> {
    try {
      return await searchRecipes({ client, embedder, recipes }, ingredients, filter, limit)
    } catch (error) {
      if (error instanceof IndexMissingError) throw unavailable(`The recipes are not indexed yet: ${error.message}`, 15)
      if (error instanceof EmbeddingError) throw unavailable(`The search is unavailable: ${error.message}`, 5)
      throw unavailable(`The recipe index did not answer (${(error as Error).message})`)
    }
  }

  /** A failed suggestion is no reason to hide the recipes, so its problem is part of the response. */
  async function suggest(caller: Caller, search: Search, traceparent: string | undefined) {
    try {
      const id = await suggestionFor({
        client,
        submit: context.submit,
        caller: caller.name,
        model: context.chatModel,
        maxTokens: config.MAX_TOKENS,
        search,
        traceparent,
        async charge() {
          if (caller.visitor === undefined) return
          await chargeVisitor(context, caller.visitor, 'suggestions')
          await registerPageCaller(client)
        },
      })
      const links = linksOf(id)
      if (caller.visitor === undefined) return { suggestion: { id, links } }
      const accessToken = await grantAccess(client, id, config.JOB_TIMEOUT_SECONDS + 600)
      return { suggestion: { id, links, accessToken } }
    } catch (error) {
      const problem =
        error instanceof Problem
          ? error
          : unavailable(`The suggestion could not be queued (${(error as Error).message})`)
      const { status, title, detail } = problemBody(problem.kind, problem.message, '') as Record<
        'title' | 'detail',
        string
      > & { status: number }
      const retryAfter = Number(problem.headers['retry-after'])
      return { suggestionProblem: { status, title, detail, ...(retryAfter > 0 && { retryAfter }) } }
    }
  }
}

type Caller = {
  /** Identifies the caller at admission. */
  name: string
  /** Hash of the address of a caller without a key. */
  visitor?: string
}

async function callerOf(context: Context, request: FastifyRequest): Promise<Caller> {
  if (request.headers.authorization === undefined) return { name: pageCaller.caller, visitor: visitorOf(request.ip) }
  await requireToken(request)
  await authenticate(context, request)
  return { name: hashKey(request.token) }
}

async function chargeVisitor(
  { redis, metrics }: Context,
  visitor: string,
  kind: keyof typeof visitorLimits,
): Promise<void> {
  const wait = await fromRedis(() => take(redis.client, visitor, kind))
  if (wait === 0) return
  metrics.quotaRefusals.inc({ quota: kind })
  const { count, seconds } = visitorLimits[kind]
  throw new Problem(
    'quota-exceeded',
    `Without an API key an address is limited to ${count} ${kind} in ${seconds / 60} minutes; try again in ${wait} s`,
    { 'retry-after': String(wait) },
  )
}

/** Another site can make a browser send this request, but not read the response; it must not use up its visitor's suggestions. */
function isCrossSite(request: FastifyRequest): boolean {
  return request.headers['sec-fetch-site'] === 'cross-site'
}

/** `tomato, basil` and repeated parameters become a list without duplicates; characters that no ingredient needs become spaces. */
function splitIngredients(value: unknown): string[] {
  const list = (Array.isArray(value) ? value : [value ?? '']).join(',').split(',')
  const clean = list.map((one) =>
    one
      .normalize('NFC')
      .replace(/[^\p{L}\p{M}\p{N}'’&.%-]+/gu, ' ')
      .trim()
      .toLowerCase(),
  )
  return [...new Set(clean.filter((one) => one !== ''))]
}
