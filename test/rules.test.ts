import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Environment } from '#kubernetes/model/environment.ts'
import { type Finding, formatPath } from '#kubernetes/model/finding.ts'
import { type KubeObject, nameOf } from '#kubernetes/model/objects.ts'
import { locateInFile } from '#manifests/source-locations/index.ts'
import { type Expectation, expectations } from '#ruleset/explain.ts'
import { rules } from '../scripts/rules/index.ts'
import { applyFix, howToWrite, isNamed } from './support/fixes.ts'
import { environmentsOf, findIn } from './support/fixture.ts'

const folder = join(import.meta.dirname, 'rules')

/**
 * Each rule has fixtures in `test/rules/<rule-id>/`: `pass-*.yaml` in which it finds nothing and `fail-*.yaml` whose header lists what it finds,
 * one line per finding, each followed by what its printed fix changes. The test applies the fix, which has to remove the finding:
 *
 *     # expect Service shop/web spec.ports[0].targetPort
 *     # fix spec.ports[0].targetPort: http
 *
 * `howToWrite` in support/fixes.ts has all forms. Findings at the same place are distinguished by their order. Declarations of `check.yaml`
 * are written as `# provided Secret web-credentials password`: kind, name and, where they are known, the keys. Documents of several targets that are
 * checked together say which: `# target prod overlays/prod`.
 */
function fixtures(rule: string, verdict: 'pass' | 'fail'): string[] {
  const path = join(folder, rule)
  return existsSync(path)
    ? readdirSync(path).filter((name) => name.startsWith(`${verdict}-`) && name.endsWith('.yaml'))
    : []
}

function read(rule: string, name: string): { content: string; environments: Environment[] } {
  const content = readFileSync(join(folder, rule, name), 'utf8')
  return { content, environments: environmentsOf(name, content) }
}

function placeOf({ object, path = [] }: Finding): string {
  return `${object} ${formatPath(path)}`.trim()
}

describe.each(rules.map((rule) => [rule.id, rule] as const))('%s', (id, rule) => {
  it('has fixtures that pass and fixtures that fail', () => {
    expect(fixtures(id, 'pass'), `test/rules/${id}/pass-*.yaml`).not.toHaveLength(0)
    expect(fixtures(id, 'fail'), `test/rules/${id}/fail-*.yaml`).not.toHaveLength(0)
  })

  it.each([...fixtures(id, 'pass'), ...fixtures(id, 'fail')])('%s', (name) => {
    const { content, environments } = read(id, name)
    const findings = findIn(environments, [rule], locateInFile(name, content))
    const expected = expectations(content).map(({ finding }) => finding)
    expect(findings.map(placeOf).sort()).toEqual(expected.sort())
    if (name.startsWith('fail-')) expect(findings).not.toHaveLength(0)
    for (const { source, message, fix } of findings) {
      expect(source?.line, 'every finding has its line').toBeGreaterThan(0)
      expect(message.trim(), 'every finding has a message').not.toBe('')
      expect(fix.trim(), 'every finding has a fix').not.toBe('')
    }
  })

  it.each(fixtures(id, 'fail'))('%s: each fix, applied as printed, removes its finding', (name) => {
    const { content, environments } = read(id, name)
    const before = findIn(environments, rules, () => undefined)
    const open = before.filter((finding) => finding.rule === id)
    for (const expectation of expectations(content)) {
      const finding = open.find((each) => placeOf(each) === expectation.finding) as Finding
      open.splice(open.indexOf(finding), 1)
      const where = `test/rules/${id}/${name}\n# expect ${expectation.finding}\nmessage: ${finding.message}\nfix: ${finding.fix}\n`
      expect(expectation.fix, `${where}has no fix. ${howToWrite}`).not.toHaveLength(0)
      const fixed = applyFix(expectation, content, environments)
      expectFixed(
        where,
        finding,
        expectation,
        before,
        findIn(fixed, rules, () => undefined),
        environments.flatMap((environment) => environment.objects),
      )
      const named = expectation.fix.some((line) => isNamed(line, finding.fix))
      expect(named, `${where}the printed fix has to name the field, kind or value of ${expectation.fix}`).toBe(true)
    }
  })
})

/** The finding is gone, the rule has no new one in its place, and no other rule has one about an object that was there before. */
function expectFixed(
  where: string,
  finding: Finding,
  { fix, reveals }: Expectation,
  before: readonly Finding[],
  after: readonly Finding[],
  objects: readonly KubeObject[],
): void {
  const context = `${where}# fix ${fix.join('\n# fix ')}\n`
  const same = (each: Finding) =>
    each.rule === finding.rule && placeOf(each) === placeOf(finding) && each.message === finding.message
  expect(after.filter(same).length, `${context}the finding is still there`).toBeLessThan(before.filter(same).length)

  const own = (findings: readonly Finding[]) => findings.filter(({ rule }) => rule === finding.rule)
  const remaining = own(after).map((each) => `${placeOf(each)}: ${each.message}`)
  expect(remaining.length, `${context}the rule finds something else:\n${remaining.join('\n')}`).toBeLessThan(
    own(before).length,
  )

  const known = new Set(objects.map(nameOf))
  const count = (findings: readonly Finding[], rule: string, object: string | undefined) =>
    findings.filter((each) => each.rule === rule && each.object === object).length
  const others = after.filter(({ rule, object = '' }) => rule !== finding.rule && known.has(object))
  const worse = others.filter(({ rule, object }) => count(after, rule, object) > count(before, rule, object))
  const details = worse.map((each) => `${each.rule}: ${placeOf(each)}: ${each.message}`).join('\n')
  expect([...new Set(worse.map(({ rule }) => rule))].sort(), `${context}other rules (# reveals):\n${details}`).toEqual(
    [...reveals].sort(),
  )
}

it('has no folder of fixtures without a rule', () => {
  expect(readdirSync(folder).filter((name) => !rules.some((rule) => rule.id === name))).toEqual([])
})

it('names every rule after its file', () => {
  const files = readdirSync(join(import.meta.dirname, '../scripts/rules')).filter((name) => name !== 'index.ts')
  expect(files.map((name) => name.replace(/\.ts$/, '')).sort()).toEqual(rules.map((rule) => rule.id).sort())
})
