import { expect, it } from 'vitest'
import { eachParallel } from '#system/process.ts'
import { type Case, cases, type Quiet } from './cases.ts'
import { mutantsOf } from './mutants.ts'
import {
  alertsIn,
  keyOf,
  type RuleEntry,
  renderedRules,
  rulesFor,
  targets,
  testNeverFailed,
  testRules,
} from './rules.ts'

/** Those whose name matches; all with `npm run test:mutation:alerts`, which takes minutes. Otherwise every fortieth. */
const wanted = process.env.ALERT_MUTANTS

it('each fault in an alert, or in a record that it reads, makes a test fail', { timeout: 1_800_000 }, async () => {
  const prod = targets.find(({ name }) => name === 'prod')
  if (prod === undefined) throw new Error('there is no prod')
  const { groups } = await renderedRules(prod)
  const mutants = alertsIn(groups).flatMap(({ alert, labels }) => {
    const own = cases.filter((entry) => keyOf(entry.alert, entry.severity) === keyOf(alert, labels?.severity))
    const [first] = own
    if (first === undefined) return []
    const needed = rulesFor(groups, first)
    return needed
      .flatMap(({ rules }) => rules)
      .flatMap((rule) =>
        mutantsOf(rule).map((mutant) => ({
          name: `${keyOf(alert, labels?.severity)}${rule.record === undefined ? '' : `, ${rule.record}`}: ${mutant.what}`,
          cases: own,
          groups: needed.map((group) => ({
            ...group,
            rules: group.rules.map((other): RuleEntry => (other === rule ? mutant.rule : other)),
          })),
        })),
      )
  })
  const chosen = mutants.filter(({ name }, index) =>
    wanted === undefined ? index % 40 === 0 : new RegExp(wanted).test(name),
  )
  const survivors = eachParallel(chosen, async ({ name, groups: mutated, cases: own }) => {
    for (const one of inParts(own)) if ((await testRules(mutated, [one])) !== '') return []
    return name.includes('accept_errors') && (await testNeverFailed(mutated)) !== '' ? [] : [name]
  })
  const lived = (await Promise.all(survivors)).flat()
  console.log(
    `${chosen.length - lived.length} of ${chosen.length} faults in alerts found (of ${mutants.length} in all)`,
  )
  expect(lived).toEqual([])
})

/** The tests of cases one by one, the quick ones first: the first that fails is enough. */
function inParts(own: readonly Case[]): Case[] {
  const quick = [...own].sort((a, b) => a.at - b.at)
  const quiet = quick.flatMap((entry) =>
    Array.isArray(entry.quiet) ? entry.quiet.map((each: Quiet) => ({ ...entry, quiet: [each] })) : [entry],
  )
  return [...quick.map((entry) => ({ ...entry, quiet: [] })), ...quiet]
}
