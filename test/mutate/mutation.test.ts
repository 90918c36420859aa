import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { classes } from '#mutate/index.ts'
import { elsewhere, shown } from '#mutate/proof.ts'
import { reportMarkdown } from '#mutate/report.ts'
import type { Verdict } from '#mutate/run.ts'
import { rules } from '#rules/index.ts'
import { project } from '../support/repository.ts'

const read = (file: string) => readFileSync(join(project, file), 'utf8')

it('every class of mutants has a unique name and a reason', () => {
  const ids = classes.map(({ id }) => id)
  expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([])
  expect(classes.filter(({ why }) => !/^.{10,}\.$/.test(why)).map(({ id }) => id)).toEqual([])
})

it('only existing classes that the API server accepts claim to be proved by another program', () => {
  const taken = classes.filter(({ refused }) => !refused).map(({ id }) => id)
  expect(Object.values(shown).flatMap((ids) => ids.filter((id) => !taken.includes(id)))).toEqual([])
})

it('docs/mutation.md is what the report writes for its numbers', () => {
  const page = read('docs/mutation.md')
  const verdicts = classes.flatMap((each) => {
    const [, detected = '0', mutants = '0'] = new RegExp(`^\\| ${each.id} \\| (\\d+)/(\\d+) \\|`, 'm').exec(page) ?? []
    return Array.from({ length: Number(mutants) }, (_, index) => ({
      mutant: { class: each, edits: [] },
      killers: index < Number(detected) ? ['a-rule'] : [],
    }))
  })
  // The diffs of survivors and the number of rules are those of the last run.
  const texts = (text: string) => text.replace(/## Survivors[\s\S]*?(?=## What)/, '').replace(/\d+ rules/, 'rules')
  expect(texts(reportMarkdown(verdicts as unknown as Verdict[], rules))).toBe(texts(page))
})

it('the tests that verify the other mutants exist', () => {
  const files = elsewhere.flatMap((line) => line.match(/test\/[\w/.-]+\.ts/g) ?? [])
  expect(files.filter((file) => !existsSync(join(project, file)))).toEqual([])
})

it('README.md has the numbers of docs/mutation.md', () => {
  const [, mutants, ids, detected, survived] =
    /^\*\*(\d+) mutants of (\d+) classes: \d+ detected \((\S+) %\), (\d+) survived/m.exec(read('docs/mutation.md')) ??
    []
  const [, own, of, share] =
    /([\d,]+) mutants of (\d+) classes,.*?: (all|[\d.]+ %) are detected/s.exec(read('README.md')) ?? []
  expect([own?.replaceAll(',', ''), of, share]).toEqual([mutants, ids, survived === '0' ? 'all' : `${detected} %`])
  expect(Number(detected)).toBeGreaterThanOrEqual(99)
  expect(Number(survived)).toBe(read('docs/mutation.md').split('```diff').length - 1)
})
