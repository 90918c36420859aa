import { parser } from '@prometheus-io/lezer-promql'

type SyntaxNode = ReturnType<typeof parser.parse>['topNode']

/** One `metric{label="value", …}` of an expression. */
interface Selector {
  readonly metric: string
  readonly matchers: readonly { readonly label: string; readonly op: string; readonly value: string }[]
}

/** A comparison with a constant: `left > value`. */
export interface Comparison {
  readonly metrics: ReadonlySet<string>
  readonly op: '>' | '>=' | '<' | '<=' | '==' | '!='
  readonly value: number
}

/** What is parsed of an expression, with its text. */
interface Parsed {
  readonly text: string
  readonly root: SyntaxNode
}

/** @throws Error that names the place, where the expression is not valid PromQL or a selector names no metric */
function parse(text: string): Parsed {
  const tree = parser.parse(text)
  tree.iterate({
    enter(node) {
      if (node.type.isError) throw new Error(`no PromQL at character ${node.from} of: ${text}`)
      if (node.name === 'VectorSelector' && node.node.getChild('Identifier') === null)
        throw new Error(`a selector without a metric's name in: ${text}`)
    },
  })
  return { text, root: tree.topNode }
}

const textOf = ({ text }: Parsed, node: SyntaxNode) => text.slice(node.from, node.to)

function childrenOf(node: SyntaxNode): SyntaxNode[] {
  const children: SyntaxNode[] = []
  for (let child = node.firstChild; child !== null; child = child.nextSibling) children.push(child)
  return children
}

/** Every selector of an expression, in order. @throws Error where it is not valid PromQL */
export function selectorsIn(expression: string): Selector[] {
  const parsed = parse(expression)
  const selectors: Selector[] = []
  parsed.root.cursor().iterate((node) => {
    if (node.name === 'VectorSelector') selectors.push(selectorOf(parsed, node.node))
  })
  return selectors
}

function selectorOf(parsed: Parsed, node: SyntaxNode): Selector {
  const name = node.getChild('Identifier')
  const matchers = node.getChild('LabelMatchers')?.getChildren('UnquotedLabelMatcher') ?? []
  return {
    metric: name === null ? '' : textOf(parsed, name),
    matchers: matchers.map((matcher) => {
      const [label = '', op = '', value = ''] = childrenOf(matcher).map((child) => textOf(parsed, child))
      return { label, op, value: value.slice(1, -1) }
    }),
  }
}

/** The names of the metrics that an expression reads. @throws Error where it is not valid PromQL */
export function metricsIn(expression: string): string[] {
  return selectorsIn(expression).map(({ metric }) => metric)
}

const comparing: Readonly<Record<string, Comparison['op']>> = {
  Gtr: '>',
  Gte: '>=',
  Lss: '<',
  Lte: '<=',
  Eql: '==',
  Neq: '!=',
}

/**
 * The comparisons of an expression with constants, outermost first; what a comparison itself is made of is not looked into.
 * @throws Error where it is not valid PromQL
 */
export function comparisonsIn(expression: string): Comparison[] {
  const parsed = parse(expression)
  const found: Comparison[] = []
  const visit = (node: SyntaxNode): void => {
    const [left, ...rest] = childrenOf(node)
    const op = comparing[rest[0]?.name ?? '']
    const value = op === undefined ? undefined : constantOf(parsed, rest.at(-1))
    if (left === undefined || op === undefined || value === undefined) {
      for (const child of childrenOf(node)) visit(child)
      return
    }
    found.push({ metrics: new Set(metricsIn(textOf(parsed, left))), op, value })
  }
  visit(parsed.root)
  return found
}

const arithmetic: Readonly<Record<string, (a: number, b: number) => number>> = {
  Mul: (a, b) => a * b,
  Div: (a, b) => a / b,
  Add: (a, b) => a + b,
  Sub: (a, b) => a - b,
}

/** The value of `0.8 * 20000`; undefined for whatever reads a metric. */
function constantOf(parsed: Parsed, node: SyntaxNode | undefined): number | undefined {
  if (node?.name === 'NumberDurationLiteral') return Number(textOf(parsed, node))
  if (node?.name === 'ParenExpr')
    return constantOf(
      parsed,
      childrenOf(node).find(({ name }) => name !== '(' && name !== ')'),
    )
  if (node?.name !== 'BinaryExpr') return undefined
  const [left, op, right] = childrenOf(node)
  const [a, b] = [constantOf(parsed, left), constantOf(parsed, right)]
  return a === undefined || b === undefined ? undefined : arithmetic[op?.name ?? '']?.(a, b)
}

/**
 * The labels that the result of an expression can have.
 * @param labelsOf the labels of a metric
 * @param report is called for each label that is grouped or joined by and that nothing inside has
 * @throws Error where it is not valid PromQL
 */
export function resultLabels(
  expression: string,
  labelsOf: (metric: string) => ReadonlySet<string>,
  report: (label: string, of: string) => void = () => {},
): ReadonlySet<string> {
  const parsed = parse(expression)
  const visit = (node: SyntaxNode): ReadonlySet<string> => {
    if (node.name === 'VectorSelector') return labelsOf(selectorOf(parsed, node).metric)
    const children = childrenOf(node)
    if (node.name === 'AggregateExpr') return aggregated(node, union(children.map(visit)))
    if (node.name === 'BinaryExpr') return joined(children)
    const inside = union(children.map(visit))
    if (node.getChild('FunctionIdentifier')?.firstChild?.name === 'HistogramQuantile')
      return new Set([...inside].filter((label) => label !== 'le'))
    return inside
  }
  const listed = (node: SyntaxNode | null | undefined) =>
    node?.getChildren('LabelName').map((label) => textOf(parsed, label)) ?? []
  const held = (labels: readonly string[], inside: ReadonlySet<string>, node: SyntaxNode) => {
    for (const label of labels) if (!inside.has(label)) report(label, textOf(parsed, node))
    return new Set(labels)
  }
  const aggregated = (node: SyntaxNode, inside: ReadonlySet<string>): ReadonlySet<string> => {
    const operation = node.getChild('AggregateOp')?.firstChild?.name
    if (operation === 'Topk' || operation === 'Bottomk') return inside
    const modifier = node.getChild('AggregateModifier')
    const labels = held(listed(modifier?.getChild('GroupingLabels')), inside, node)
    return modifier?.getChild('Without') ? new Set([...inside].filter((label) => !labels.has(label))) : labels
  }
  const joined = (children: readonly SyntaxNode[]): ReadonlySet<string> => {
    const [left, op] = children
    const right = children.at(-1)
    if (left === undefined || right === undefined) return new Set()
    const [a, b] = [visit(left), visit(right)]
    // A constant has no labels and removes none.
    if (a.size === 0 || b.size === 0) return union([a, b])
    const clause = children.find(({ name }) => name === 'MatchingModifierClause')
    const [on = [], carried = []] = (clause?.getChildren('GroupingLabels') ?? []).map(listed)
    for (const side of [left, right]) held(on, side === left ? a : b, side)
    if (op?.name === 'Or') return union([a, b])
    if (['And', 'Unless', ...Object.keys(comparing)].includes(op?.name ?? '')) return a
    if (clause?.getChild('GroupLeft')) return union([a, held(carried, b, right)])
    return clause?.getChild('On') ? new Set(on) : new Set([...a].filter((label) => b.has(label)))
  }
  return visit(parsed.root)
}

const union = (sets: readonly ReadonlySet<string>[]) => new Set(sets.flatMap((set) => [...set]))
