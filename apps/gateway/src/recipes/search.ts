import type { RedisClient } from '@inference/common/redis.ts'
import type { QueryEmbedder } from './embed.ts'
import { isIngredient, matchIngredients } from './match.ts'
import type { Recipe } from './recipe.ts'
import { currentVectorSet, nearest, type RecipeFilter } from './store.ts'

export type FoundRecipe = Omit<Recipe, 'ingredients'> & {
  ingredients: { name: string; amount: string; have: boolean }[]
  /** What the order goes by, 0 to 1. */
  score: number
  /** Of the vectors of search and recipe, 0 to 1. */
  similarity: number
  /** Of the asked ingredients, in the order asked. */
  has: string[]
  misses: string[]
}

/**
 * How much of the score is the share of the asked ingredients that a recipe really uses. Vectors alone put a dish of the same
 * kind above one that uses what is in the kitchen; the share alone cannot tell dishes apart that use the same.
 */
const shareWeight = 0.3
/** Candidates to take from the vector set for each recipe wanted, so that the second part of the score has a choice. */
const candidates = 5

/**
 * The recipes that fit the ingredients best, best first. Throws EmbeddingError or IndexMissingError; recipes that the index holds
 * and this release does not are left out.
 */
export async function searchRecipes(
  deps: { client: RedisClient; embedder: QueryEmbedder; recipes: ReadonlyMap<string, Recipe> },
  ingredients: string[],
  filter: RecipeFilter,
  limit: number,
): Promise<FoundRecipe[]> {
  const { vector, digest } = await deps.embedder.embed(ingredients.join(', '))
  const vectorSet = await currentVectorSet(deps.client, digest)
  const hits = await nearest(deps.client, vectorSet, vector, filter, limit * candidates)

  const found: FoundRecipe[] = []
  for (const { id, similarity } of hits) {
    const recipe = deps.recipes.get(id)
    if (!recipe) continue
    const { has, misses } = matchIngredients(ingredients, recipe)
    const share = has.length / ingredients.length
    found.push({
      ...recipe,
      ingredients: recipe.ingredients.map(({ name, amount }) => ({
        name,
        amount,
        have: ingredients.some((one) => isIngredient(one, name)),
      })),
      score: rounded((1 - shareWeight) * similarity + shareWeight * share),
      similarity: rounded(similarity),
      has,
      misses,
    })
  }
  return found.sort((a, b) => b.score - a.score).slice(0, limit)
}

const rounded = (value: number) => Math.round(value * 10_000) / 10_000
