import { unresolved } from '#kubernetes/references/resolve.ts'
import { defineRule, type Rule } from './define-rule.ts'

/** A rule that every object of some kinds which another object refers to by name exists, with the keys that it reads. */
export function existsRule({ kinds, ...rule }: Omit<Rule, 'check'> & { readonly kinds: readonly string[] }): Rule {
  return defineRule({
    ...rule,
    check(environment, report) {
      for (const kind of kinds)
        for (const { reference, path, message } of unresolved(environment, kind))
          report(reference.source, path, message)
    },
  })
}
