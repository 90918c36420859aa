import type { RedisClient } from '@inference/common/redis.ts'
import type { QueryEmbedder } from './embed.ts'
import { isIngredient, matchIngredients } from './match.ts'
import type { Recipe } from './recipe.ts'
import { currentVectorSet, nearest, type RecipeFilter } from './store.ts'

export type FoundRecipe = Omit<Recipe, 'ingredients'> & {
  ingredients: { name: string; amount: string; have: boolean }[]
  /** The recipes are sorted by it, 0 to 1. */
  score: number
  /** Similarity of the vectors of search and recipe, 0 to 1. */
  similarity: number
  /** The requested ingredients that it uses, in the requested order. */
  has: string[]
  misses: string[]
}

/**
 * The weight in the score of the share of requested ingredients that a recipe uses. Vectors alone rank a dish of the same kind
 * above one that uses the available ingredients; the share alone cannot distinguish dishes that use the same ones.
 */
const shareWeight = 0.3
/** Candidates from the vector set per requested recipe, so that the second part of the score has a choice. */
const candidates = 5

/**
 * The recipes that fit the ingredients best, best first. Recipes that the index has and this release does not are omitted.
 * @throws EmbeddingError or IndexMissingError
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
