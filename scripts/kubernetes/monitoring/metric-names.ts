/** What an expression of PromQL holds beside the metrics: texts, comments, selectors' labels, ranges, and lists of labels. */
const besides = [
  /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`|#.*/g,
  /\{[^{}]*\}/g,
  /\[[^[\]]*\]/g,
  /\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^()]*\)/gi,
]

const words = new Set(['and', 'or', 'unless', 'bool', 'offset', 'atan2', 'inf', 'nan', 'group_left', 'group_right'])

/**
 * The names of the metrics that an expression reads, each once. Linear, so that a hostile expression costs no more than its length; that it reads
 * the same as Prometheus's own grammar, which takes longer to load than all rules to run, test/alerts/metrics.test.ts proves for every rule.
 */
export function metricNames(expression: string): string[] {
  const bare = besides.reduce((text, pattern) => text.replace(pattern, ' '), expression)
  const names = new Set<string>()
  for (const [name] of bare.matchAll(/(?<![\w:.$])[a-zA-Z_:][\w:]*(?![\w:]*\s*\()/g))
    if (!words.has(name.toLowerCase())) names.add(name)
  return [...names]
}
