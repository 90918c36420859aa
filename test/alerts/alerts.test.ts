import { describe, expect, it } from 'vitest'
import { cases } from './cases.ts'
import { alertsIn, keyOf, promtoolFaults, type RuleGroup, renderedRules, targets, testNeverFailed } from './rules.ts'

const caseKeys = new Set(cases.map(({ alert, severity }) => keyOf(alert, severity)))

function faultsOf(groups: readonly RuleGroup[]): Promise<string> {
  const keys = new Set(alertsIn(groups).map(({ alert, labels }) => keyOf(alert, labels?.severity)))
  return promtoolFaults(
    groups,
    cases.filter(({ alert, severity }) => keys.has(keyOf(alert, severity))),
  )
}

describe.each(targets)('the alerts of $name', (target) => {
  const rendered = renderedRules(target)

  it('are all tested', async () => {
    const { environment, groups } = await rendered
    const keys = alertsIn(groups).map(({ alert, labels }) => keyOf(alert, labels?.severity))
    const tested = keys.filter((key) => caseKeys.has(key))
    console.log(`${environment}: ${tested.length} of ${keys.length} alerts tested, each firing and at its border`)
    expect(keys.filter((key) => !caseKeys.has(key))).toEqual([])
    expect(keys).toEqual([...new Set(keys)])
  })

  it('fire when they should, and only then', { timeout: 300_000 }, async () => {
    expect(await faultsOf((await rendered).groups)).toBe('')
  })

  it('find the share of errors 0 where there has never been one', async () => {
    expect(await testNeverFailed((await rendered).groups)).toBe('')
  })

  it('read records over the windows that these are named after', async () => {
    const { groups } = await rendered
    for (const { record, expr } of groups.flatMap(({ rules }) => rules)) {
      const [, window] = /_rate(\w+)$/.exec(record ?? '') ?? []
      if (window === undefined) continue
      expect([...new Set([...expr.matchAll(/\[(\w+)\]/g)].map(([, range]) => range))], record).toEqual([window])
    }
  })

  it('say how bad it is, whose it is, what is wrong, what to do and where to look', async () => {
    const { groups } = await rendered
    for (const { alert, labels, annotations } of alertsIn(groups)) {
      expect(['critical', 'warning'], alert).toContain(labels?.severity)
      expect(labels?.owner, alert).toBe('inference')
      expect(annotations?.summary, alert).toBeTruthy()
      expect(annotations?.description, alert).toBeTruthy()
      expect(annotations?.runbook_url, alert).toMatch(new RegExp(`/docs/runbooks/${alert}\\.md$`))
      expect(annotations?.dashboard_url, alert).toMatch(/^https:\/\/grafana\.example\.com\/d\/inference-[a-z]+$/)
    }
  })
})

it('every case is of an alert that some environment has', async () => {
  const all = await Promise.all(targets.map(renderedRules))
  const keys = new Set(
    all.flatMap(({ groups }) => alertsIn(groups).map(({ alert, labels }) => keyOf(alert, labels?.severity))),
  )
  expect([...caseKeys].filter((key) => !keys.has(key))).toEqual([])
})
