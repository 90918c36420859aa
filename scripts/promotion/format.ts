import type { Applied } from './apply.ts'
import type { Gate } from './gates.ts'
import type { Plan } from './plan.ts'
import { shortVersion } from './values.ts'

/** The plan for people: what moves, what stays, and each gate. */
export function formatPlan(plan: Plan, gates: readonly Gate[]): string {
  const width = Math.max(0, ...plan.moves.map(({ key }) => key.length))
  const lines = [
    plan.title,
    '',
    ...plan.moves.map(
      ({ key, before, after }) => `  ${key.padEnd(width)}  ${shortVersion(before)} → ${shortVersion(after)}`,
    ),
    ...(plan.stays.length === 0 ? [] : [`  the same: ${plan.stays.join(', ')}`]),
    '',
    ...gates.flatMap(({ name, passed, message, fix }) => [
      `  ${passed ? 'ok  ' : 'STOP'} ${name.padEnd(8)} ${message}`,
      ...(passed ? [] : [`       fix      ${fix}`]),
    ]),
    ...(plan.lasting.length === 0 ? [] : ['', '  Not undone by this:', ...plan.lasting.map((line) => `    ${line}`)]),
  ]
  return `${lines.join('\n')}\n`
}

/** What was done, and what is left to a person. */
export function formatApplied({ branch, pullRequest, refusal, next }: Applied): string {
  if (pullRequest !== undefined) return `The pull request is open: ${pullRequest}\n`
  const lead =
    refusal === undefined
      ? ['Open a pull request of it, or merge it by:']
      : [`No pull request could be opened: ${refusal}`, 'Run this command again, or:']
  return [`The branch ${branch} is made.`, ...lead, ...next.map((command) => `  ${command}`), ''].join('\n')
}
