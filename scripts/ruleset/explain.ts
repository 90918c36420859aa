import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { UsageError } from '#cli/errors.ts'
import type { RuleText } from '#rule/define-rule.ts'
import { docsOf, ruleTexts } from './catalog.ts'

/** An example out of a rule's fixtures: manifests, and for those that break the rule the places where they do. */
export interface Example {
  /** From the root of the repository. */
  readonly file: string
  readonly manifests: string
  readonly broken: readonly Expectation[]
}

/** What the header of a fixture expects of its rule. */
export interface Expectation {
  /** `Service shop/web spec.ports[0].targetPort`. */
  readonly finding: string
  /** What doing the finding's fix means: `spec.ports[0].targetPort: http`. */
  readonly fix: readonly string[]
  /** Other rules that have something to say only then, because what was wrong kept them silent. */
  readonly reveals: readonly string[]
}

/** The findings that a fixture expects, in the order of its header: lines `# expect`, and below each `# fix` and `# reveals`. */
export function expectations(content: string): Expectation[] {
  const list: { finding: string; fix: string[]; reveals: string[] }[] = []
  for (const [, word, rest = ''] of content.matchAll(/^# (expect|fix|reveals) (.+)$/gm)) {
    if (word === 'expect') list.push({ finding: rest.trim(), fix: [], reveals: [] })
    else if (word === 'fix') list.at(-1)?.fix.push(rest.trim())
    else list.at(-1)?.reveals.push(...rest.trim().split(/\s+/))
  }
  return list
}

/** All that is known of a rule. */
export interface Explanation extends RuleText {
  readonly failing: Example | undefined
  readonly passing: Example | undefined
  /** The convention without which the rule is switched off. */
  readonly needs: string | undefined
}

/**
 * Explains a rule by its texts and its fixtures: the shortest that fails and the one that passes and is most like it.
 * @throws UsageError when there is no such rule; it names the nearest
 */
export function explain(id: string, root: string): Explanation {
  const rule = ruleTexts.find((candidate) => candidate.id === id)
  if (rule === undefined) throw new UsageError(`there is no rule "${id}"; expected one of ${nearest(id).join(', ')}, …`)
  const failing = shortest(examples(root, id, 'fail'))
  const passing = mostLike(failing, examples(root, id, 'pass'))
  return { ...rule, failing, passing, needs: rule.needs?.what }
}

function examples(root: string, rule: string, verdict: 'pass' | 'fail'): Example[] {
  const folder = join('test', 'rules', rule)
  if (!existsSync(join(root, folder))) return []
  return readdirSync(join(root, folder))
    .filter((name) => name.startsWith(`${verdict}-`) && name.endsWith('.yaml'))
    .sort()
    .map((name) => {
      const content = readFileSync(join(root, folder, name), 'utf8')
      return {
        file: join(folder, name),
        manifests: content.replace(/^# (?:expect|fix|reveals|provided|own) .*\n/gm, '').trim(),
        broken: expectations(content),
      }
    })
}

function shortest(all: readonly Example[]): Example | undefined {
  return [...all].sort((one, other) => one.manifests.length - other.manifests.length)[0]
}

/** The example that shares the largest part of its lines: the difference is then what matters. */
function mostLike(example: Example | undefined, all: readonly Example[]): Example | undefined {
  if (example === undefined) return shortest(all)
  const wanted = new Set(example.manifests.split('\n'))
  const likeness = ({ manifests }: Example) => {
    const lines = manifests.split('\n')
    return lines.filter((line) => wanted.has(line)).length / (lines.length + wanted.size)
  }
  return [...all].sort((one, other) => likeness(other) - likeness(one))[0]
}

/** The five rules whose names are most like a misspelt one: that share most of its pairs of letters. */
function nearest(id: string): string[] {
  const pairs = (name: string) => new Set([...name].slice(1).map((_letter, index) => name.slice(index, index + 2)))
  const wanted = pairs(id)
  const likeness = (name: string) => {
    const own = pairs(name)
    return [...own].filter((pair) => wanted.has(pair)).length / (own.size + wanted.size)
  }
  return ruleTexts
    .map((rule) => rule.id)
    .sort((one, other) => likeness(other) - likeness(one))
    .slice(0, 5)
}

/** The explanation for a terminal. */
export function explanationText(explanation: Explanation): string {
  const { id, severity, summary, why, fix, needs, failing, passing } = explanation
  const lines = [`${id} (${severity})`, '', summary, '', `why   ${why}`, `fix   ${fix}`]
  if (needs !== undefined) lines.push(`needs ${needs}; without it the rule is switched off`)
  if (failing !== undefined)
    lines.push(
      '',
      `This fails (${failing.file}) at`,
      ...failing.broken.flatMap(({ finding, fix }) => [finding, ...fix.map((line) => `  fix ${line}`)]).map(indent),
      '',
      ...failing.manifests.split('\n').map(indent),
    )
  if (passing !== undefined)
    lines.push('', `This passes (${passing.file})`, '', ...passing.manifests.split('\n').map(indent))
  lines.push('', `docs  ${docsOf(id)}`)
  return `${lines.join('\n')}\n`
}

function indent(line: string): string {
  return line === '' ? '' : `    ${line}`
}

/** The explanation as a page of `docs/rules/`. */
export function explanationPage(explanation: Explanation): string {
  const { id, severity, summary, why, fix, needs, failing, passing } = explanation
  const lines = [`# ${id}`, '', `*${severity}* · ${summary}`, '', '## Why', '', why, '', '## Fix', '', fix]
  if (needs !== undefined)
    lines.push('', `The rule needs ${needs}; without it, it is switched off, and the summary says so.`)
  if (failing !== undefined) {
    lines.push('', '## An example that fails', '', `[${failing.file}](../../${failing.file}) breaks the rule at`, '')
    for (const { finding, fix } of failing.broken)
      lines.push(`- \`${finding}\`, mended by ${fix.map(fixInWords).join(' and ')}`)
    lines.push('', '```yaml', failing.manifests, '```')
  }
  if (passing !== undefined)
    lines.push(
      '',
      '## An example that passes',
      '',
      `[${passing.file}](../../${passing.file})`,
      '',
      '```yaml',
      passing.manifests,
      '```',
    )
  lines.push('', '## To exempt an object', '', ...exemption(id))
  return `${lines.join('\n')}\n`
}

/** A line of a fix as a page says it. */
function fixInWords(line: string): string {
  if (line.startsWith('provided ')) return `declaring \`${line.slice('provided '.length)}\` in check.yaml`
  return line.endsWith(':') ? `removing \`${line.slice(0, -1)}\`` : `\`${line}\``
}

function exemption(id: string): string[] {
  return [
    'Say why, on the object itself or, for objects of others, in `check.yaml`; see [exemptions](../checks.md#exemptions).',
    '',
    '```yaml',
    'metadata:',
    '  annotations:',
    `    inference.example.com/exempt.${id}: 'until 2027-03-31: the reason'`,
    '```',
  ]
}
