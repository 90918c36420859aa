import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, it } from 'vitest'
import { loadRecipes, type Recipe } from '../../../apps/gateway/src/recipes/recipe.ts'

const recipes = loadRecipes()
const schema = JSON.parse(readFileSync('apps/gateway/data/recipes.schema.json', 'utf8'))

/** Words that no vegetarian ingredient contains. Cheeses made with animal rennet by law are among them. */
const notVegetarian =
  /\b(chicken|turkey|duck|beef|veal|pork|lamb|goat shoulder|bacon|ham|prosciutto|chorizo|sausages?|fish|salmon|tuna|cod|trout|haddock|sardines?|anchov\w+|prawns?|shrimps?|mussels|clams|dashi|gelatine|worcestershire sauce|oyster sauce|parmesan|pecorino|gruyère|bones)\b/i
const notVegan =
  /\b(egg|eggs|yolks?|milk|butter|buttermilk|cream|crème|yogurt|cheese|cheddar|mozzarella|feta|ricotta|mascarpone|paneer|gouda|emmental|honey|mayonnaise)\b/i
/** Names that contain such a word but are plant-based. */
const ofPlants = /\b(coconut milk|oat milk|peanut butter|butter beans|oyster mushrooms|without shrimp)\b/gi

const ingredientNames = (recipe: Recipe) => recipe.ingredients.map(({ name }) => name.replace(ofPlants, ''))

describe('recipes.json', () => {
  it('follows its schema', () => {
    const validate = new Ajv2020({ allErrors: true }).compile(schema)
    validate(recipes)
    expect(validate.errors).toBeNull()
  })

  it('has unique ids and titles', () => {
    expect(duplicates(recipes.map(({ id }) => id))).toEqual([])
    expect(duplicates(recipes.map(({ title }) => title.toLowerCase()))).toEqual([])
  })

  it('is sorted by id, so that an addition is one hunk in a diff', () => {
    const ids = recipes.map(({ id }) => id)
    expect(ids).toEqual(ids.toSorted())
  })

  it.each(loadRecipes().map((recipe) => [recipe.id, recipe] as const))('%s is consistent', (_, recipe) => {
    const { tags, ingredients, steps, minutes } = recipe
    expect(
      tags.filter((tag) => tag !== 'vegan' && tag !== 'vegetarian'),
      'one course',
    ).toHaveLength(1)
    expect(duplicates(ingredients.map(({ name }) => name))).toEqual([])
    expect(duplicates([...steps])).toEqual([])
    if (tags.includes('vegan')) expect(tags).toContain('vegetarian')
    if (tags.includes('vegetarian')) {
      expect(ingredientNames(recipe).filter((name) => notVegetarian.test(name))).toEqual([])
    }
    if (tags.includes('vegan')) {
      expect(ingredientNames(recipe).filter((name) => notVegan.test(name))).toEqual([])
    }
    expect(minutes, 'the total time covers the longest time in a step').toBeGreaterThanOrEqual(longestStep(steps))
  })

  it('is varied', () => {
    expect(new Set(recipes.map(({ cuisine }) => cuisine)).size).toBeGreaterThanOrEqual(25)
    expect(new Set(recipes.flatMap(({ ingredients }) => ingredients.map(({ name }) => name))).size).toBeGreaterThan(300)
    for (const course of ['breakfast', 'bread', 'dessert', 'main', 'salad', 'side', 'snack', 'soup']) {
      expect(recipes.filter(({ tags }) => tags.includes(course)).length, course).toBeGreaterThanOrEqual(5)
    }
    expect(recipes.filter(({ tags }) => tags.includes('vegan')).length).toBeGreaterThanOrEqual(50)
    expect(recipes.filter(({ minutes }) => minutes <= 30).length).toBeGreaterThanOrEqual(50)
  })
})

function duplicates(values: string[]): string[] {
  return values.filter((value, i) => values.indexOf(value) !== i)
}

/** Minutes of the longest time in the steps, as in «for 25 minutes». Hours are ignored: they are mostly waiting. */
function longestStep(steps: readonly string[]): number {
  const times = steps.join(' ').matchAll(/(?<!stir\w* every )\b(\d+) minutes/g)
  return Math.max(0, ...Array.from(times, ([, minutes]) => Number(minutes)))
}
