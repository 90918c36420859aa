import { describe, expect, it } from 'vitest'
import { isIngredient, matchIngredients } from '../../../apps/gateway/src/recipes/match.ts'
import { loadRecipes } from '../../../apps/gateway/src/recipes/recipe.ts'

describe('isIngredient', () => {
  it.each([
    ['tomato', 'cherry tomatoes'],
    ['Tomatoes', 'chopped tomatoes'],
    ['chicken', 'chicken thighs'],
    ['beef', 'minced beef'],
    ['tuna', 'tinned tuna in oil'],
    ['basil', 'basil'],
    ['coriander', 'coriander leaves'],
    ['gruyere', 'gruyère'],
    ['potato', 'new potatoes'],
    ['leek', 'leeks'],
    ['berries', 'frozen mixed berries'],
    ['bay leaf', 'bay leaf'],
    ['coconut milk', 'coconut milk'],
    ['beans', 'butter beans'],
    ['couscous', 'couscous'],
    ['radish', 'radishes'],
    ['egg', 'eggs'],
    ['cabbage', 'red cabbage'],
  ])('%s is %s', (has, needed) => {
    expect(isIngredient(has, needed)).toBe(true)
  })

  it.each([
    ['rice', 'rice vinegar'],
    ['butter', 'peanut butter'],
    ['butter', 'butter beans'],
    ['milk', 'coconut milk'],
    ['tomato', 'tomato purée'],
    ['chicken', 'chicken stock'],
    ['potato', 'sweet potatoes'],
    ['pepper', 'black pepper'],
    ['oil', 'tinned tuna in oil'],
    ['ham', 'graham crackers'],
    ['fish', 'fish sauce'],
    ['', 'salt'],
    ['!!', 'salt'],
  ])('%s is not %s', (has, needed) => {
    expect(isIngredient(has, needed)).toBe(false)
  })

  it('finds every recipe ingredient under its own name', () => {
    const names = new Set(loadRecipes().flatMap(({ ingredients }) => ingredients.map(({ name }) => name)))
    expect(
      [...names].filter((name) => !isIngredient(name.split(/,| in | or | for | without /)[0] ?? '', name)),
    ).toEqual([])
  })
})

describe('matchIngredients', () => {
  it('keeps the requested order', () => {
    const [recipe] = loadRecipes().filter(({ id }) => id === 'spaghetti-with-burst-tomatoes-and-basil')
    if (!recipe) throw new Error('the recipe does not exist; use another one')
    expect(matchIngredients(['basil', 'squid', 'tomato', 'salt'], recipe)).toEqual({
      has: ['basil', 'tomato', 'salt'],
      misses: ['squid'],
    })
  })
})
