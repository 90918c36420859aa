/**
 * Characters that a terminal, a browser or a reader would act on instead of showing: controls (but for the line feed), marks that turn the direction
 * of text, halves of surrogate pairs, and code points that no XML may hold.
 */
const unprintable = /[^\P{Cc}\n]|[\u061c\u200e\u200f\u202a-\u202e\u2028\u2029\u2066-\u2069\ufeff\ufffe\uffff]|\p{Cs}/gu

/** The text with such characters written out, as `\u001b`. Manifests may come from anybody. */
export function printable(text: string): string {
  return text.replace(unprintable, (character) => {
    if (character === '\t') return '  '
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}

/** The value with all strings in it made printable. */
export function printableDeep<T>(value: T): T {
  if (typeof value === 'string') return printable(value) as T
  if (Array.isArray(value)) return value.map(printableDeep) as T
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, printableDeep(entry)])) as T
}
