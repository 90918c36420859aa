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

/** What may have several lines: programs whose words are passed on write so. Anything else is one line, or a name could begin one. */
const ofManyLines = ['message', 'fix']

/** The value with all strings in it made printable. */
export function printableDeep<T>(value: T, key = ''): T {
  if (typeof value === 'string') {
    const text = printable(value)
    return (ofManyLines.includes(key) ? text : text.replaceAll('\n', '\\n')) as T
  }
  if (Array.isArray(value)) return value.map((entry) => printableDeep(entry)) as T
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, printableDeep(entry, name)])) as T
}
