import { readFileSync } from 'node:fs'
import { appFile } from './app-file.ts'

/** An entry of `data/recipes.json`; a test validates it against `data/recipes.schema.json`. */
export type Recipe = {
  id: string
  title: string
  cuisine: string
  minutes: number
  servings: number
  /** A course, and `vegetarian` and `vegan` where they are true. */
  tags: string[]
  ingredients: { name: string; amount: string }[]
  steps: string[]
}

export type Diet = 'vegetarian' | 'vegan'

/** Reads the recipes that are shipped with the gateway. */
export function loadRecipes(): Recipe[] {
  return JSON.parse(readFileSync(appFile('data/recipes.json'), 'utf8')) as Recipe[]
}
