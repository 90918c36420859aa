import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { UsageError } from '#cli/errors.ts'
import type { RuleText } from '#rule/define-rule.ts'
import { docsOf, ruleIds, ruleTexts } from './catalog.ts'

/** An example from a rule's fixtures: manifests, and for a failing one the places where they violate the rule. */
interface Example {
  /** From the root of the repository. */
  readonly file: string
  readonly manifests: string
  readonly expected: readonly Expectation[]
}

/** What the header of a fixture expects of its rule. */
export interface Expectation {
  /** `Service shop/web spec.ports[0].targetPort`. */
  readonly finding: string
  /** What applying the printed fix changes: `spec.ports[0].targetPort: http`. */
  readonly fix: readonly string[]
  /** Other rules that report something only after the fix, because the violation hid it. */
  readonly reveals: readonly string[]
}

/** The findings that a fixture expects, in the order of its header: `# expect` lines, each followed by `# fix` and `# reveals`. */
export function expectations(content: string): Expectation[] {
  const list: { finding: string; fix: string[]; reveals: string[] }[] = []
  for (const [, word, rest = ''] of content.matchAll(/^# (expect|fix|reveals) (.+)$/gm)) {
    if (word === 'expect') list.push({ finding: rest.trim(), fix: [], reveals: [] })
    else if (word === 'fix') list.at(-1)?.fix.push(rest.trim())
    else list.at(-1)?.reveals.push(...rest.trim().split(/\s+/))
  }
  return list
}

/** A rule with its texts and examples. */
interface Explanation extends RuleText {
  readonly failing: Example | undefined
  readonly passing: Example | undefined
  /** The convention without which the rule is skipped. */
  readonly needs: string | undefined
}

/**
 * Explains a rule by its texts and its fixtures: the shortest failing one and the passing one that is most similar to it. The fixtures are those of
 * the rule's test, read from test/rules when somebody asks, so an explanation cannot become outdated; the npm package contains that folder.
 * @param id the rule's id, current or former
 * @throws UsageError when there is no such rule; it suggests the most similar ids
 */
export function explain(id: string, root: string): Explanation {
  const rule = ruleTexts.find((candidate) => candidate.id === ruleIds.get(id))
  if (rule === undefined)
    throw new UsageError(`there is no rule "${id}"; expected one of ${suggestions(id).join(', ')}, …`)
  const failing = shortest(examples(root, rule.id, 'fail'))
  const passing = mostSimilar(failing, examples(root, rule.id, 'pass'))
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
        manifests: content
          .replace(/^# (?:expect|fix|reveals|provided|metrics|parity|repositories|folders|own) .*\n/gm, '')
          .trim(),
        expected: expectations(content),
      }
    })
}

function shortest(all: readonly Example[]): Example | undefined {
  return [...all].sort((one, other) => one.manifests.length - other.manifests.length)[0]
}

/** The example that shares the largest part of its lines, so that the difference is what matters. */
function mostSimilar(example: Example | undefined, all: readonly Example[]): Example | undefined {
  if (example === undefined) return shortest(all)
  const lines = new Set(example.manifests.split('\n'))
  const similarity = ({ manifests }: Example) => {
    const own = manifests.split('\n')
    return own.filter((line) => lines.has(line)).length / (own.length + lines.size)
  }
  return [...all].sort((one, other) => similarity(other) - similarity(one))[0]
}

/** The five rules whose names are most similar to a misspelled one: those that share most of its letter pairs. */
function suggestions(id: string): string[] {
  const pairs = (name: string) => new Set([...name].slice(1).map((_letter, index) => name.slice(index, index + 2)))
  const wanted = pairs(id)
  const similarity = (name: string) => {
    const own = pairs(name)
    return [...own].filter((pair) => wanted.has(pair)).length / (own.size + wanted.size)
  }
  return ruleTexts
    .map((rule) => rule.id)
    .sort((one, other) => similarity(other) - similarity(one))
    .slice(0, 5)
}

/** The explanation for a terminal. */
export function explanationText(explanation: Explanation): string {
  const { id, severity, summary, why, fix, needs, failing, passing } = explanation
  const lines = [`${id} (${severity}, ${subjectOf(explanation)})`, '', summary, '', `why   ${why}`, `fix   ${fix}`]
  if (needs !== undefined) lines.push(`needs ${needs}; without it the rule is skipped`)
  if (failing !== undefined)
    lines.push(
      '',
      `This fails (${failing.file}) at`,
      ...failing.expected.flatMap(({ finding, fix }) => [finding, ...fix.map((line) => `  fix ${line}`)]).map(indent),
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

/** `networking`, or `networking, only this platform`. */
function subjectOf({ category, scope }: RuleText): string {
  return scope === 'platform' ? `${category}, only this platform` : category
}

/** The explanation as a page of `docs/rules/`. */
export function explanationPage(explanation: Explanation): string {
  const { id, formerIds = [], severity, summary, why, fix, needs, failing, passing } = explanation
  const formerly = formerIds.length === 0 ? '' : ` · formerly ${formerIds.map((name) => `\`${name}\``).join(', ')}`
  const lines = [
    `# ${id}`,
    '',
    `*${severity}* · ${subjectOf(explanation)}${formerly}`,
    '',
    summary,
    '',
    '## Why',
    '',
    why,
    '',
    '## Fix',
    '',
    fix,
  ]
  if (needs !== undefined)
    lines.push('', `The rule needs ${needs}; without it, it is skipped, and the report lists it.`)
  if (failing !== undefined) {
    lines.push('', '## An example that fails', '', `[${failing.file}](../../${failing.file}) violates the rule at`, '')
    for (const { finding, fix } of failing.expected)
      lines.push(`- \`${finding}\`, fixed by ${fix.map(fixInWords).join(' and ')}`)
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

/** A `# fix` line in words, for a page. */
function fixInWords(line: string): string {
  if (line.startsWith('provided ')) return `declaring \`${line.slice('provided '.length)}\` in check.yaml`
  return line.endsWith(':') ? `removing \`${line.slice(0, -1)}\`` : `\`${line}\``
}

function exemption(id: string): string[] {
  return [
    'Give the reason in an annotation of the object or, for objects of others, in `check.yaml`; see [exemptions](../checks.md#exemptions).',
    '',
    '```yaml',
    'metadata:',
    '  annotations:',
    `    inference-platform/exempt.${id}: 'until 2027-03-31: the reason'`,
    '```',
  ]
}
