import type { Applied } from './apply.ts'
import type { Gate } from './gates.ts'
import type { Plan } from './plan.ts'
import { shortVersion } from './values.ts'

/** The plan for people: what changes, what stays, and each gate. */
export function formatPlan(plan: Plan, gates: readonly Gate[]): string {
  const width = Math.max(0, ...plan.moves.map(({ key }) => key.length))
  const lines = [
    plan.title,
    '',
    ...plan.moves.map(
      ({ key, before, after }) => `  ${key.padEnd(width)}  ${shortVersion(before)} → ${shortVersion(after)}`,
    ),
    ...(plan.stays.length === 0 ? [] : [`  unchanged: ${plan.stays.join(', ')}`]),
    '',
    ...gates.flatMap(({ name, passed, message, fix }) => [
      `  ${passed ? 'ok  ' : 'STOP'} ${name.padEnd(8)} ${message}`,
      ...(passed ? [] : [`       fix      ${fix}`]),
    ]),
    ...(plan.lasting.length === 0 ? [] : ['', '  Not undone by this:', ...plan.lasting.map((line) => `    ${line}`)]),
  ]
  return `${lines.join('\n')}\n`
}

/** What was done, and what remains to be done by a person. */
export function formatApplied({ branch, pullRequest, refusal, next }: Applied): string {
  if (pullRequest !== undefined) return `The pull request is open: ${pullRequest}\n`
  const lead =
    refusal === undefined
      ? ['Open a pull request for it, or merge it with:']
      : [`No pull request could be opened: ${refusal}`, 'Run this command again, or:']
  return [`The branch ${branch} was created.`, ...lead, ...next.map((command) => `  ${command}`), ''].join('\n')
}
