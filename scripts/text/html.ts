/** Text between the tags of HTML or XML. */
export function escapeTags(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

/** Text in HTML or XML, between tags and in quoted attributes; line breaks are kept in both. */
export function escapeHtml(text: string): string {
  return escapeTags(text).replaceAll('"', '&quot;').replaceAll("'", '&#39;').replaceAll('\n', '&#10;')
}

/** A template of HTML whose values are text, never markup. */
export function markup(parts: TemplateStringsArray, ...values: readonly (string | number)[]): string {
  return parts.map((part, index) => (index === 0 ? part : escapeHtml(String(values[index - 1])) + part)).join('')
}
