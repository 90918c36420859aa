import { expect, it } from 'vitest'
import { parseSchedule } from '#kubernetes/model/cron.ts'

it.each([
  ['0 3 * * *', true],
  ['*/5 * * * *', false],
  ['17 * * * *', false],
  ['0 0 1 jan sun', true],
  ['0 9-17/2 * * 1-5', true],
  ['5/15 * * * *', false],
  ['@daily', true],
  ['@hourly', false],
  ['@every 1h30m', false],
])('reads "%s"', (schedule, dependsOnClock) => {
  expect(parseSchedule(schedule)).toEqual({ dependsOnClock })
})

it.each([
  '',
  '* * * *',
  '* * * * * *',
  '60 * * * *',
  '* 24 * * *',
  '* * 0 * *',
  '* * 32 * *',
  '* * * 13 *',
  // Sunday is 0 alone: robfig/cron knows no 7.
  '* * * * 7',
  '30-10 * * * *',
  '*/0 * * * *',
  '*/5/5 * * * *',
  '1-2-3 * * * *',
  'CRON_TZ=UTC 0 3 * * *',
  '@fortnightly',
  '@every soon',
])('says why "%s" is not a schedule', (schedule) => {
  expect(parseSchedule(schedule)).toBeTypeOf('string')
})

it('finds a date that no month has, unless a weekday matches as well', () => {
  expect(parseSchedule('0 0 31 2,4 *')).toContain('31')
  expect(parseSchedule('0 0 29 2 *')).toEqual({ dependsOnClock: true })
  expect(parseSchedule('0 0 31 2 1')).toEqual({ dependsOnClock: true })
})
