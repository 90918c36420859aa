import type { Recipe } from './recipe.ts'

/** Names whose last word alone means something else: butter is not peanut butter. */
const compounds = [
  'peanut butter',
  'coconut milk',
  'coconut water',
  'oat milk',
  'sweet potato',
  'black pepper',
  'white pepper',
]

/** Words that name a part or a form of the word before them: chicken thighs are chicken. */
const parts = new Set(
  (
    'fillet leg thigh breast wing shoulder neck belly steak escalope rib bone leaf clove stick stalk floret pod seed sprig ' +
    'head bulb cob flake juice half'
  ).split(' '),
)

/**
 * Whether an available ingredient matches one of a recipe: «tomatoes» for «cherry tomatoes», «chicken» for «chicken thighs», but
 * «rice» not for «rice vinegar», since the last word names the ingredient.
 */
export function isIngredient(has: string, needed: string): boolean {
  const asked = words(has)
  // Text after a comma, «in» or «or» is only a description: «tinned tuna in oil».
  const name = words(needed.split(/,| in | or | for | without /)[0] ?? '')
  if (asked.length === 0 || !asked.every((word) => name.includes(word))) return false
  let last = name.length - 1
  while (last > 0 && parts.has(name[last] ?? '') && !asked.includes(name[last] ?? '')) last--
  return asked.includes(name[last] ?? '')
}

/** Which of the asked ingredients a recipe uses, in the order asked. */
export function matchIngredients(asked: readonly string[], recipe: Recipe): { has: string[]; misses: string[] } {
  const has = asked.filter((one) => recipe.ingredients.some(({ name }) => isIngredient(one, name)))
  return { has, misses: asked.filter((one) => !has.includes(one)) }
}

/** Lower case, no accents, singular, and each compound as one word. */
function words(text: string): string[] {
  let plain = text
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()
  plain = plain.split(' ').map(singular).join(' ')
  for (const compound of compounds) plain = plain.replaceAll(compound, compound.replace(' ', '-'))
  return plain === '' ? [] : plain.split(' ')
}

function singular(word: string): string {
  if (word.length < 4 || /(ss|us)$/.test(word)) return word
  if (/leaves$/.test(word)) return word.replace(/leaves$/, 'leaf')
  if (/[^aeiou]ies$/.test(word)) return word.replace(/ies$/, 'y')
  if (/(o|ch|sh|x)es$/.test(word)) return word.replace(/es$/, '')
  return word.replace(/s$/, '')
}
