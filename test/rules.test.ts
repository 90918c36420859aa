import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readDocuments } from '../scripts/lib/documents.ts'
import { runRules } from '../scripts/lib/engine.ts'
import { createEnvironment } from '../scripts/lib/environment.ts'
import { formatPath } from '../scripts/lib/finding.ts'
import { locateInFile } from '../scripts/lib/source.ts'
import { rules } from '../scripts/rules/index.ts'
import { declarations } from './support/declarations.ts'

const folder = join(import.meta.dirname, 'rules')

/**
 * Each rule has fixtures in `test/rules/<rule-id>/`: `pass-*.yaml` in which it finds nothing and `fail-*.yaml` whose header says what it finds,
 * one line a finding: `# expect Service shop/web spec.ports[0].targetPort`. What `check.yaml` would declare stands there as
 * `# provided Secret web-credentials password`: kind, name and, where they are known, the keys.
 */
function fixtures(rule: string, verdict: 'pass' | 'fail'): string[] {
  const path = join(folder, rule)
  return existsSync(path)
    ? readdirSync(path).filter((name) => name.startsWith(`${verdict}-`) && name.endsWith('.yaml'))
    : []
}

function expectations(content: string): string[] {
  return [...content.matchAll(/^# expect (.+)$/gm)].map(([, expected = '']) => expected.trim())
}

describe.each(rules.map((rule) => [rule.id, rule] as const))('%s', (id, rule) => {
  it('has fixtures that pass and fixtures that fail', () => {
    expect(fixtures(id, 'pass'), `test/rules/${id}/pass-*.yaml`).not.toHaveLength(0)
    expect(fixtures(id, 'fail'), `test/rules/${id}/fail-*.yaml`).not.toHaveLength(0)
  })

  it.each([...fixtures(id, 'pass'), ...fixtures(id, 'fail')])('%s', (name) => {
    const content = readFileSync(join(folder, id, name), 'utf8')
    const { objects, findings: faults } = readDocuments(content, name, name)
    expect(faults, 'the fixture itself is right YAML').toEqual([])
    const findings = runRules(
      [rule],
      createEnvironment(name, objects, declarations(content)),
      locateInFile(name, content),
    )
    const found = findings.map(({ object, path = [] }) => `${object} ${formatPath(path)}`.trim())
    expect(found.sort()).toEqual(expectations(content).sort())
    if (name.startsWith('fail-')) expect(found).not.toHaveLength(0)
    for (const finding of findings) expect(finding.source?.line, 'every finding has its line').toBeGreaterThan(0)
  })
})

it('has no folder of fixtures without a rule', () => {
  expect(readdirSync(folder).filter((name) => !rules.some((rule) => rule.id === name))).toEqual([])
})

it('names every rule after its file', () => {
  const files = readdirSync(join(import.meta.dirname, '../scripts/rules')).filter((name) => name !== 'index.ts')
  expect(files.map((name) => name.replace(/\.ts$/, '')).sort()).toEqual(rules.map((rule) => rule.id).sort())
})
