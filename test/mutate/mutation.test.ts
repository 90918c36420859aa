import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { classes } from '#mutate/index.ts'
import { shown } from '#mutate/proof.ts'
import { project } from '../support/repository.ts'

const read = (file: string) => readFileSync(join(project, file), 'utf8')

it('every class of mutants has a name of its own and a reason', () => {
  const ids = classes.map(({ id }) => id)
  expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([])
  expect(classes.filter(({ why }) => !/^.{10,}\.$/.test(why)).map(({ id }) => id)).toEqual([])
})

it('only classes that there are, and that the API server takes, are said to be shown by another program', () => {
  const taken = classes.filter(({ refused }) => !refused).map(({ id }) => id)
  expect(Object.values(shown).flatMap((ids) => ids.filter((id) => !taken.includes(id)))).toEqual([])
})

it('README.md tells the figures of docs/mutation.md', () => {
  const [, mutants, ids, detected, survived] =
    /^\*\*(\d+) mutants of (\d+) classes: \d+ detected \((\S+) %\), (\d+) survived/m.exec(read('docs/mutation.md')) ??
    []
  const [, own, of, share] =
    /([\d,]+) mutants of (\d+) classes,.*?: (all|[\d.]+ %) are detected/s.exec(read('README.md')) ?? []
  expect([own?.replaceAll(',', ''), of, share]).toEqual([mutants, ids, survived === '0' ? 'all' : `${detected} %`])
  expect(Number(detected)).toBeGreaterThanOrEqual(99)
  expect(Number(survived)).toBe(read('docs/mutation.md').split('```diff').length - 1)
})
