import type { Rule } from '#rule/define-rule.ts'
import { families } from './index.ts'
import { diffOf, type MutationClass } from './mutation.ts'
import { elsewhere, proverOf } from './proof.ts'
import type { Verdict } from './run.ts'

/** The mutants of one class, or of several. */
export interface Tally {
  readonly mutants: number
  readonly detected: number
}

export function tally(verdicts: readonly Verdict[]): Tally {
  return { mutants: verdicts.length, detected: verdicts.filter(({ killers }) => killers.length > 0).length }
}

export function percent({ mutants, detected }: Tally): string {
  // Never 100 % while one survives.
  return mutants === 0 ? '–' : `${(Math.floor((detected / mutants) * 1000) / 10).toFixed(1)} %`
}

const ofClass = (verdicts: readonly Verdict[], { id }: MutationClass) =>
  verdicts.filter(({ mutant }) => mutant.class.id === id)

/** The table for people at a terminal, then every survivor with its diff. */
export function reportText(verdicts: readonly Verdict[], rules: readonly Rule[]): string {
  const lines: string[] = []
  for (const [family, classes] of Object.entries(families)) {
    const tallies = classes
      .map((each) => ({ each, sum: tally(ofClass(verdicts, each)) }))
      .filter(({ sum }) => sum.mutants > 0)
    if (tallies.length === 0) continue
    lines.push(family)
    for (const { each, sum } of tallies)
      lines.push(
        `  ${each.id.padEnd(30)} ${`${sum.detected}/${sum.mutants}`.padStart(9)}${sum.detected < sum.mutants ? '  SURVIVORS' : ''}`,
      )
  }
  const survivors = verdicts.filter(({ killers }) => killers.length === 0)
  for (const { mutant } of survivors)
    lines.push(
      '',
      `survivor: ${mutant.class.id}: ${mutant.class.why}`,
      ...diffOf(mutant)
        .split('\n')
        .map((line) => `  ${line}`),
    )
  return `${lines.join('\n')}\n\n${summary(verdicts, rules)}\n`
}

export function summary(verdicts: readonly Verdict[], rules: readonly Rule[]): string {
  const sum = tally(verdicts)
  const used = new Set(verdicts.map(({ mutant }) => mutant.class.id)).size
  return `${sum.mutants} mutants of ${used} classes: ${sum.detected} detected (${percent(sum)}), ${sum.mutants - sum.detected} survived, ${rules.length} rules`
}

/** One line a mutant, for programs. */
export function reportJson(verdicts: readonly Verdict[]): string {
  const list = verdicts.map(({ mutant, killers }) => ({
    class: mutant.class.id,
    environment: mutant.environment.name,
    detected: killers.length > 0,
    by: killers,
    diff: diffOf(mutant),
  }))
  return `${JSON.stringify({ version: 1, mutants: list }, null, 2)}\n`
}

/** The page `docs/mutation.md`. */
export function reportMarkdown(verdicts: readonly Verdict[], rules: readonly Rule[]): string {
  const lines = [
    '# Mutation',
    '',
    'What the check finds of single faults that are seeded into the real environments. Made by `npm run mutate -- --format markdown`; do not edit.',
    '',
    'Every class says why it breaks a cluster, from the semantics of Kubernetes and of the programs. A fault is made at every place of the rendered',
    'environments that has it, one a mutant, and once if several environments share the place. A mutant counts as detected when the check, which finds',
    'nothing in the clean environments, finds anything in it.',
    '',
    'The first mutant of every class is given to the real programs by `npm run mutate -- --prove`. "API server": it refuses the object, or the pod that',
    'would be made of it. "controllers": Kubernetes\' own controllers make other pods, endpoints or budgets of it than of the clean environment, or an',
    'eviction is answered otherwise. "promtool": it refuses the rules, as Prometheus does. All others the API server takes: they show only where a kubelet,',
    'traffic or the program itself meets them, and [what shows those](#what-shows-the-others) is said at the end.',
    '',
    `**${summary(verdicts, rules)}.**`,
    '',
  ]
  for (const [family, classes] of Object.entries(families)) {
    lines.push(`## ${family}`, '', '| class | detected | shown by | why it breaks |', '| --- | ---: | --- | --- |')
    for (const each of classes) {
      const sum = tally(ofClass(verdicts, each))
      if (sum.mutants > 0)
        lines.push(`| ${each.id} | ${sum.detected}/${sum.mutants} | ${proverOf(each) ?? ''} | ${each.why} |`)
    }
    lines.push('')
  }
  const survivors = verdicts.filter(({ killers }) => killers.length === 0)
  lines.push('## Survivors', '')
  if (survivors.length === 0) lines.push('None.', '')
  for (const { mutant } of survivors)
    lines.push(`${mutant.class.id}: ${mutant.class.why}`, '', '```diff', diffOf(mutant), '```', '')
  lines.push('## What shows the others', '', ...elsewhere.map((line) => `- ${line}`), '')
  return lines.join('\n')
}
