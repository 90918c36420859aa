import type { Rule, RuleText } from '#rule/define-rule.ts'
import { rules } from '#rules/index.ts'
import { builtInRules } from './built-in.ts'

/** The texts of all rules and built-in checks, by name. */
export const ruleTexts: readonly (RuleText & Pick<Rule, 'needs'>)[] = [...rules, ...builtInRules].sort((one, other) =>
  one.id.localeCompare(other.id),
)

/** Every id by which a rule may be named, the former ones too, with its current id. */
export const ruleIds: ReadonlyMap<string, string> = new Map(
  ruleTexts.flatMap(({ id, formerIds = [] }) => [id, ...formerIds].map((name) => [name, id] as const)),
)

/** What to print where a rule is named by a former id. */
export function renamedNote(former: string, id: string): string {
  return `rule "${former}" is now named "${id}"; the old name is deprecated and will be removed in the next version`
}

/** Where a rule is explained, from the root of the repository. */
export function docsOf(rule: string): string {
  return `docs/rules/${rule}.md`
}
