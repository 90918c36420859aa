import { parser } from '@prometheus-io/lezer-promql'
import type { RuleEntry } from './rules.ts'

/** A rule with one fault. */
export interface Mutant {
  readonly what: string
  readonly rule: RuleEntry
}

type Node = ReturnType<typeof parser.parse>['topNode']

const flipped: Readonly<Record<string, string>> = { Gtr: '<', Lss: '>', Gte: '<', Lte: '>', Eql: '!=', Neq: '==' }
const negated: Readonly<Record<string, string>> = { '=': '!=', '!=': '=', '=~': '!~', '!~': '=~' }

/** Every rule that differs from this one by one fault: an arm is gone, a limit or a sign is another, a metric is misspelt, a filter is turned round, a label is aggregated away, the wait is another. */
export function mutantsOf(rule: RuleEntry): Mutant[] {
  const mutants = faultsIn(rule.expr).map(({ what, expr }) => ({ what, rule: { ...rule, expr } }))
  if (rule.alert === undefined) return mutants
  const { for: wait, ...rest } = rule
  const minutes = wait === undefined ? 0 : Number.parseInt(wait, 10) * (wait.endsWith('h') ? 60 : 1)
  mutants.push({ what: 'waits two minutes more', rule: { ...rule, for: `${minutes + 2}m` } })
  if (wait !== undefined) mutants.push({ what: 'does not wait', rule: rest })
  return mutants
}

function faultsIn(text: string): { what: string; expr: string }[] {
  const faults: { what: string; expr: string }[] = []
  const of = (node: Node) => text.slice(node.from, node.to)
  const replaced = (what: string, node: Node, by: string) =>
    faults.push({ what: `${what}: ${of(node)} → ${by}`, expr: text.slice(0, node.from) + by + text.slice(node.to) })
  parser.parse(text).iterate({
    enter({ node, name }) {
      if (name === 'BinaryExpr') {
        const [left, op, ...rest] = childrenOf(node)
        const right = rest.at(-1)
        if (left === undefined || op === undefined || right === undefined) return
        if (['And', 'Or', 'Unless'].includes(op.name)) {
          replaced('without its right side', node, of(left))
          if (op.name !== 'Unless') replaced('without its left side', node, of(right))
        }
        const turned = flipped[op.name]
        if (turned !== undefined) {
          replaced('compares the other way', op, turned)
          const limit = /[a-z]/i.test(of(right)) ? 0 : Number.parseFloat(of(right))
          // A count may be just as well compared with 3.2 as with 3.
          const others = /^[1-9]$/.test(of(right))
            ? [limit - 1, limit + 1]
            : [`0.8 * (${of(right)})`, `1.25 * (${of(right)})`]
          if (limit !== 0) for (const other of others) replaced('another limit', right, String(other))
        }
      }
      if (name === 'VectorSelector') {
        const metric = node.getChild('Identifier')
        if (metric !== null) replaced('reads nothing', metric, `${of(metric)}_gone`)
      }
      if (name === 'MatchOp') replaced('the other series', node, negated[of(node)] ?? '')
      if (name === 'AggregateModifier' && node.getChild('By') !== null)
        for (const label of node.getChild('GroupingLabels')?.getChildren('LabelName') ?? [])
          replaced('aggregates away', label, 'no_such_label')
    },
  })
  return faults
}

function childrenOf(node: Node): Node[] {
  const children: Node[] = []
  for (let child = node.firstChild; child !== null; child = child.nextSibling) children.push(child)
  return children
}
