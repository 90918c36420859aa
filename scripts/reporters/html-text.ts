const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '\n': '&#10;',
}

/** Escapes text for HTML, between tags and in quoted attributes. */
export function htmlText(text: string): string {
  return text.replace(/[&<>"'\n]/g, (character) => entities[character] ?? character)
}

/** A template of HTML whose values are text, never markup. */
export function markup(parts: TemplateStringsArray, ...values: readonly (string | number)[]): string {
  return parts.map((part, index) => (index === 0 ? part : htmlText(String(values[index - 1])) + part)).join('')
}
