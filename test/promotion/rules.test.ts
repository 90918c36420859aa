import { describe, expect, it } from 'vitest'
import { type Facts, gatesOf } from '#promotion/gates.ts'
import { type Change, guard } from '#promotion/guard.ts'
import type { Release } from '#promotion/history.ts'
import { planRollback } from '#promotion/plan.ts'
import { tableOf } from '#promotion/table.ts'
import { movesBetween } from '#promotion/values.ts'

const hour = 3_600_000
const now = Date.parse('2026-06-30T12:00:00Z')
const digest = `@sha256:${'a'.repeat(64)}`
const worker = (tag: string) => new Map([['images.worker', `ghcr.io/example/inference-worker:${tag}${digest}`]])

function release(versions: ReadonlyMap<string, string>, hoursAgo: number): Release {
  return { commit: 'c'.repeat(40), at: now - hoursAgo * hour, subject: 'Change', content: '', versions }
}

function facts(change: Partial<Facts> = {}): Facts {
  const source = change.source ?? [release(worker('2'), 30), release(worker('1'), 90)]
  const target = change.target ?? [release(worker('1'), 60)]
  const moves = movesBetween(target[0]?.versions ?? new Map(), source[0]?.versions ?? new Map())
  const config = { order: ['dev', 'staging', 'prod'], soakHours: { prod: 24 }, freezes: [] }
  return { from: 'staging', to: 'prod', source, target, moves, config, now, open: [], backwards: false, ...change }
}

const failing = (change?: Partial<Facts>) =>
  gatesOf(facts(change)).flatMap(({ name, passed }) => (passed ? [] : [name]))

describe('the gates', () => {
  it('all pass for a valid promotion', () => expect(failing()).toEqual([]))

  it.each<[string, Partial<Facts>]>([
    ['order', { from: 'dev' }],
    ['ahead', { target: [release(worker('2'), 10)] }],
    [
      'forwards',
      {
        source: [release(worker('1'), 30), release(worker('2'), 90)],
        target: [release(worker('2'), 40), release(worker('1'), 80)],
      },
    ],
    ['keeps', { target: [release(worker('1-hotfix'), 10)] }],
    ['soak', { source: [release(worker('2'), 23), release(worker('1'), 90)] }],
    [
      'digests',
      {
        source: [
          release(new Map([['images.worker', 'ghcr.io/example/inference-worker:2']]), 30),
          release(worker('1'), 90),
        ],
      },
    ],
    ['alone', { open: ['promote/prod/0123456789ab'] }],
  ])('%s fails alone', (name, change) => expect(failing(change)).toEqual([name]))

  it('fail while a freeze is active', () => {
    const frozen = (from: string, until: string) =>
      failing({
        config: {
          order: ['staging', 'prod'],
          soakHours: {},
          freezes: [{ environments: ['prod'], from, until, reason: 'x' }],
        },
      })
    expect(frozen('2026-06-30T00:00:00Z', '2026-07-01T00:00:00Z')).toEqual(['freeze'])
    expect(frozen('2026-06-01T00:00:00Z', '2026-06-30T12:00:00Z')).toEqual([])
  })

  it('have a fix wherever they fail', () => {
    for (const { passed, fix } of gatesOf(facts({ from: 'dev', open: ['x'] }))) expect(fix !== '').toBe(!passed)
  })
})

describe('the guard', () => {
  const change = (environment: string, before: string, after: string, source?: string): Change => ({
    environment,
    before: worker(before),
    after: worker(after),
    source: source === undefined ? undefined : worker(source),
    history: [release(worker(before), 10), release(worker('0'), 20)],
  })

  it('allows the first environment to change with anything else', () => {
    expect(
      guard(['overlays/dev/versions.yaml', 'base/a.yaml'], [change('dev', '1', '2'), change('staging', '1', '1', '1')]),
    ).toEqual([])
  })

  it('allows a promotion and a rollback', () => {
    expect(guard(['overlays/staging/versions.yaml'], [change('staging', '1', '2', '2')])).toEqual([])
    expect(guard(['overlays/staging/versions.yaml'], [change('staging', '1', '0', '2')])).toEqual([])
  })

  it.each([
    [
      'what the source does not run',
      ['overlays/staging/versions.yaml'],
      [change('staging', '1', '3', '2')],
      /images\.worker is 3 .*expected 2/,
    ],
    [
      'another file',
      ['overlays/staging/versions.yaml', 'README.md'],
      [change('staging', '1', '2', '2')],
      /also changes README\.md/,
    ],
    [
      'two environments',
      [],
      [change('dev', '1', '2'), change('staging', '1', '2', '1')],
      /the versions of two environments: dev .* and staging/,
    ],
  ])('refuses %s', (_, files, changes, words) => {
    expect(
      guard(files, changes)
        .map(({ message }) => message)
        .join(),
    ).toMatch(words)
  })

  it('allows a new key in all environments together', () => {
    const more = (environment: string): Change => ({
      ...change(environment, '1', '1', '1'),
      after: new Map([...worker('1'), ['images.more', 'x']]),
    })
    expect(guard(['overlays/versions.schema.json'], [more('dev'), more('staging')])).toEqual([])
  })
})

it('lists what a rollback does not undo, by key', () => {
  const at = (key: string, value: string) => release(new Map([[key, value]]), 1)
  const lasting = (key: string, before: string, after: string) =>
    planRollback('prod', [at(key, before)], at(key, after), []).lasting.join()
  expect(lasting('images.collector', 'ghcr.io/x/collector:2', 'ghcr.io/x/collector:1')).toContain('Schema migrations')
  expect(lasting('images.postgres', 'docker.io/library/postgres:18.1', 'docker.io/library/postgres:17.6')).toContain(
    'restore a backup',
  )
  expect(lasting('images.postgres', 'docker.io/library/postgres:17.7', 'docker.io/library/postgres:17.6')).toBe('')
  expect(lasting('models.chat', 'b:1@sha256:b', 'a:1@sha256:a')).toContain('pulled again')
})

it('computes lag, change frequency and lead time', () => {
  const dev = [release(worker('3'), 10), release(worker('2'), 100), release(worker('1'), 800)]
  const staging = [release(worker('2'), 52), release(worker('1'), 700)]
  const [first, second] = tableOf(
    new Map([
      ['dev', dev],
      ['staging', staging],
    ]),
    now,
  )
  expect(first).toMatchObject({ behind: 0, changesIn30Days: 2, leadTimeHours: undefined })
  // Merged into dev 100 hours ago, into staging 52 hours ago.
  expect(second).toMatchObject({ behind: 1, changesBehind: 1, changesIn30Days: 1, leadTimeHours: 48 })
})
