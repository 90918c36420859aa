import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import AjvDraft4 from 'ajv-draft-04'
import addFormats from 'ajv-formats'
import { XMLParser, XMLValidator } from 'fast-xml-parser'
import { marked } from 'marked'
import { describe, expect, it, vi } from 'vitest'
import type { CheckResult } from '#check/result.ts'
import jsonSchema from '#reporters/json.schema.json' with { type: 'json' }
import { formats, reporter } from '#reporters/report.ts'
import { many, results } from './results.ts'
import sarifSchema from './sarif-2.1.0.schema.json' with { type: 'json' }

vi.stubEnv('NO_COLOR', '1')
vi.stubEnv('FORCE_COLOR', undefined)

const report = async (format: string, result: CheckResult) => (await reporter(format))(result)
const cases = Object.entries(results)
const all = [...cases, ['many', many] as const]

/** The page is tested in a browser; its text would change with every rule. */
const inText = formats.filter((format) => format !== 'html')

describe.each(inText)('%s', (format) => {
  it.each(cases)('of the result "%s" matches the golden file', async (name, result) => {
    let text = await report(format, result)
    // The list of all rules is not under test here.
    if (format === 'sarif')
      text = text
        .replace(/"rules": \[\n[\s\S]*?\n {10}\]/, '"rules": []')
        .replace(/"ruleIndex": \d+/g, '"ruleIndex": 0')
    if (format === 'junit') text = text.replace(/ {4}<testcase [^>]*\/>\n/g, '').replace(/tests="\d+"/g, 'tests="…"')
    await expect(text).toMatchFileSnapshot(join('golden', `${name}.${format}.golden`))
  })
})

describe.each(all)('the result "%s"', (name, result) => {
  const findings = result.targets.flatMap((target) => target.findings)
  const exempted = result.targets.flatMap((target) => target.exempted)

  it('in JSON is valid against the schema', async () => {
    const validate = new Ajv2020({ allErrors: true }).compile(jsonSchema)
    const value = JSON.parse(await report('json', result))
    expect(validate(value), JSON.stringify(validate.errors)).toBe(true)
    expect(value.targets.flatMap((target: { findings: object[] }) => target.findings)).toHaveLength(findings.length)
  })

  it('in SARIF is valid against the OASIS schema, with a unique fingerprint per result', async () => {
    const ajv = new AjvDraft4.default({ allErrors: true, strict: false, unicodeRegExp: false })
    addFormats.default(ajv)
    const validate = ajv.compile(sarifSchema)
    const log = JSON.parse(await report('sarif', result))
    expect(validate(log), JSON.stringify(validate.errors)).toBe(true)
    const { results: found, tool } = log.runs[0] as {
      results: SarifResult[]
      tool: { driver: { rules: { id: string }[] } }
    }
    expect(found).toHaveLength(findings.length + exempted.length)
    expect(new Set(found.map((entry) => entry.partialFingerprints['finding/v1'])).size).toBe(found.length)
    for (const { ruleId, ruleIndex } of found) expect(tool.driver.rules[ruleIndex]?.id).toBe(ruleId)
  })

  it('in JUnit is well-formed XML with correct counts', async () => {
    const xml = await report('junit', result)
    expect(XMLValidator.validate(xml)).toBe(true)
    const { testsuites } = new XMLParser({
      ignoreAttributes: false,
      isArray: (tag) => ['testsuite', 'testcase'].includes(tag),
    }).parse(xml)
    const suites = testsuites.testsuite as {
      testcase: Record<string, unknown>[]
      '@_tests': string
      '@_failures': string
    }[]
    expect(suites).toHaveLength(result.targets.length)
    for (const [index, suite] of suites.entries()) {
      expect(Number(suite['@_tests'])).toBe(suite.testcase.length)
      expect(suite.testcase.filter((entry) => 'failure' in entry)).toHaveLength(
        result.targets[index]?.findings.length ?? -1,
      )
      expect(Number(suite['@_failures'])).toBe(result.targets[index]?.findings.length)
    }
  })

  it('for GitHub is one command per finding', async () => {
    const lines = (await report('github', result)).split('\n')
    expect(lines.filter((line) => line.startsWith('::'))).toHaveLength(findings.length)
    expect(lines).toHaveLength(findings.length + result.targets.length + 1)
  })

  it('in Markdown fits into a comment and contains no markup from a manifest', async () => {
    const markdown = await report('markdown', result)
    expect(markdown.length).toBeLessThan(name === 'many' ? 65_536 : 20_000)
    const html = await marked.parse(markdown)
    const tags = new Set([...html.matchAll(/<([a-z][a-z0-9]*)/gi)].map(([, tag]) => tag))
    const own = ['h1', 'h2', 'table', 'thead', 'tbody', 'tr', 'th', 'td', 'p', 'br', 'ul', 'li', 'strong', 'code', 'a']
    expect([...tags].filter((tag) => !own.includes(tag ?? ''))).toEqual([])
    for (const [, href] of html.matchAll(/href="([^"]*)"/g)) expect(href).toMatch(/^docs\/rules\/[a-z-]+\.md$/)
    const rendered = html.replace(/<code>[\s\S]*?<\/code>|&#39;/g, '')
    expect(rendered, 'no mention of a person, no link to an issue').not.toMatch(/[@#]\w/)
  })

  it('in HTML contains no tag from a manifest', async () => {
    const page = await report('html', result)
    expect(page.match(/<script/g)).toHaveLength(1)
    expect(page).not.toMatch(/<img|<b>|onerror=[^&]*>(?!<)/)
    expect(page).not.toMatch(/(?:src|href)="?(?:http|javascript)/)
  })

  it.each(formats)('as %s contains no terminal control characters', async (format) => {
    expect(await report(format, result)).not.toMatch(/[^\P{Cc}\n]|[\u202a-\u202e\u2066-\u2069]|\p{Cs}/u)
  })
})

describe.each(formats.filter((format) => format !== 'github'))('%s', (format) => {
  it('starts no line like a GitHub Actions command', async () => {
    for (const [, result] of all) expect(await report(format, result)).not.toMatch(/^\s*::/m)
  })
})

it('lists the skipped rules in JSON, also under the deprecated name', async () => {
  const [, , prod] = JSON.parse(await report('json', results.findings as CheckResult)).targets
  const needs = 'a program that reads CHAT_MODEL'
  expect(prod.skippedRules).toEqual(['models-agree', 'ollama-parallelism'].map((rule) => ({ rule, needs })))
  expect(prod.switchedOff).toEqual(['models-agree', 'ollama-parallelism'].map((rule) => ({ rule, lacks: needs })))
})

interface SarifResult {
  ruleId: string
  ruleIndex: number
  partialFingerprints: Record<string, string>
}

it('keeps the fingerprint of a finding when its line moves and its numbers change', async () => {
  const [first] = results.findings?.targets ?? []
  const [port] = first?.findings ?? []
  if (first === undefined || port === undefined) throw new Error('the result "findings" has no finding')
  const print = async (finding: typeof port) => {
    const log = JSON.parse(await report('sarif', { rules: 1, targets: [{ ...first, findings: [finding] }] }))
    return log.runs[0].results[0].partialFingerprints['finding/v1']
  }
  const before = await print(port)
  expect(await print({ ...port, message: 'another', source: { file: 'b.yaml', line: 99 } })).toBe(before)
  expect(await print({ ...port, object: 'Service shop/other' })).not.toBe(before)
  expect(await print({ ...port, target: 'prod' })).not.toBe(before)
})
