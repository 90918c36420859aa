import type { Rule, RuleText } from '#rule/define-rule.ts'
import { rules } from '#rules/index.ts'
import { builtInRules } from './built-in.ts'

/** The texts of everything that can be found, by name. */
export const ruleTexts: readonly (RuleText & Pick<Rule, 'needs'>)[] = [...rules, ...builtInRules].sort((one, other) =>
  one.id.localeCompare(other.id),
)

/** Where a rule is explained, from the root of the repository. */
export function docsOf(rule: string): string {
  return `docs/rules/${rule}.md`
}
