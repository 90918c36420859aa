import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { addExcerpts } from '#check/excerpts.ts'
import { type Finding, formatPath } from '#kubernetes/model/finding.ts'
import { existing, type KubeObject, nameOf } from '#kubernetes/model/objects.ts'
import { readDocuments } from '#manifests/documents.ts'
import { locateInFile } from '#manifests/source-locations/index.ts'
import { rules } from '#rules/index.ts'
import { environmentsOf, findIn } from '../support/fixture.ts'

const folder = join(import.meta.dirname, '../rules')

/**
 * What is wrong with the place that a finding names; undefined when nothing is. The line must hold the last key of the path, or, where the path
 * leads to something that is missing, that of its nearest parent that is there; an item of a list begins with whatever it holds.
 */
function faultOf(finding: Finding, objects: readonly KubeObject[], lines: readonly string[]): string | undefined {
  const { object: name, path, source } = finding
  if (name === undefined || path === undefined) return 'names no object or no path'
  const object = objects.find((candidate) => nameOf(candidate) === name)
  if (object === undefined) return `names ${name}, which is not there`
  const line = source === undefined ? undefined : lines[source.line - 1]
  if (source?.column === undefined || line === undefined) return 'names no line that is there'
  const rest = line.slice(source.column - 1)
  if (rest.trim() === '') return `points behind the end of line ${source.line}`
  const there = existing(object.raw, path)
  const key = there.at(-1)
  if (key === undefined)
    return isStart(lines, source.line - 1) ? undefined : `line ${source.line} does not begin the object`
  if (typeof key === 'number') return undefined
  return rest.replace(/^["']/, '').startsWith(key)
    ? undefined
    : `line ${source.line} has "${rest.slice(0, 40)}", not the key "${key}"`
}

/** Whether an object may begin at a line: the document does, or an item of a List. */
function isStart(lines: readonly string[], index: number): boolean {
  const before = lines
    .slice(0, index)
    .filter((line) => !/^\s*(?:#.*)?$/.test(line))
    .at(-1)
  return before === undefined || before.startsWith('---') || /^\s*- /.test(lines[index] ?? '')
}

// That every rule has fixtures is the affair of rules.test.ts.
const cases = readdirSync(folder).flatMap((id) =>
  readdirSync(join(folder, id))
    .filter((name) => name.startsWith('fail-'))
    .map((name) => [`${id}/${name}`] as const),
)

describe('every finding of a fixture names a place that is there, and shows it', () => {
  it.each(cases)('%s', (file) => {
    const content = readFileSync(join(folder, file), 'utf8')
    const { objects } = readDocuments(content, file, file)
    const rule = rules.filter(({ id }) => file.startsWith(`${id}/`))
    const findings = findIn(environmentsOf(file, content), rule, locateInFile(file, content))
    expect(findings).not.toEqual([])
    const lines = content.split('\n')
    for (const finding of addExcerpts(findings, () => content)) {
      expect(faultOf(finding, objects, lines), formatPath(finding.path ?? [])).toBeUndefined()
      const { source, object = '', rule: id } = finding
      const isHidden = id === 'secret-in-plain-sight' || object.startsWith('Secret ')
      expect(source?.text).toBe(isHidden ? undefined : lines[(source?.line ?? 0) - 1]?.slice(0, 400))
      for (const part of [finding.message, finding.fix]) expect(part).toMatch(/\S/)
    }
  })
})
