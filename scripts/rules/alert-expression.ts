import { at, strings, text } from '#kubernetes/model/objects.ts'
import { prometheusRulesOf } from '#kubernetes/monitoring/prometheus-rules.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'alert-expression',
  category: 'monitoring',
  severity: 'error',
  summary:
    'The expression of an alert is balanced and contains a comparison, and its annotations and labels are valid templates about labels that the expression keeps.',
  why: 'Prometheus rejects the whole rule file for one unbalanced bracket or invalid template; an alert without a comparison fires forever, and a label that was aggregated away is empty in the message.',
  fix: 'Fix expr or the template; `promtool check rules` verifies the result.',
  check(environment, report) {
    for (const { object, path, rule } of prometheusRulesOf(environment)) {
      const expression = text(at(rule, 'expr'))
      if (expression === undefined) continue
      // Strings may contain any character.
      const bare = expression.replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`/g, '""').replace(/#.*/g, '')
      const bracket = unbalanced(bare)
      if (bracket !== undefined)
        report(
          object,
          [...path, 'expr'],
          `${bracket} in the expression of ${text(at(rule, 'alert')) ?? text(at(rule, 'record'))}`,
          'Balance the brackets in expr: close each one with its own kind.',
        )
      if (text(at(rule, 'alert')) === undefined) continue
      if (!/[<>]|==|!=(?!~)/.test(bare.replace(/\{[^}]*\}/g, '')) && !/\babsent|\bunless\b|\bALERTS\b/.test(bare))
        report(
          object,
          [...path, 'expr'],
          `alert ${text(at(rule, 'alert'))} contains no comparison, so it fires as long as there are series`,
          'Compare expr with the threshold above which the alert should fire: expr > 0.',
        )
      const left = labelsLeft(bare)
      for (const part of ['annotations', 'labels'])
        for (const [name, template] of Object.entries(strings(at(rule, part)))) {
          const problem = templateProblem(template) ?? labelProblem(template, left)
          if (problem !== undefined) report(object, [...path, part, name], problem.message, problem.fix(name))
        }
    }
  },
})

const closing: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' }

/** What is wrong with the brackets of an expression; undefined when they are balanced. */
function unbalanced(expression: string): string | undefined {
  const open: string[] = []
  for (const character of expression) {
    const close = closing[character]
    if (close !== undefined) open.push(close)
    else if (character === ')' || character === ']' || character === '}') {
      const expected = open.pop()
      if (expected !== character)
        return expected === undefined
          ? `"${character}" closes nothing`
          : `found "${character}" where "${expected}" is expected`
    }
  }
  return open.length === 0 ? undefined : `"${open.at(-1)}" is missing`
}

/** Bounded and without nested repeats, so that a hostile expression costs no more than its length. */
const aggregated =
  /^(?:histogram_quantile\s*\([^,]{0,200},[\s(]*)?(?:sum|min|max|avg|count|group|stddev|stdvar|topk|bottomk|quantile)\b/

/** The labels that the result of an aggregation can still have; undefined where that is unknown. */
function labelsLeft(expression: string): ReadonlySet<string> | undefined {
  if (
    !aggregated.test(expression.replace(/^[\s(]+/, '')) ||
    /\bwithout\b|\blabel_replace\b|\blabel_join\b/.test(expression)
  )
    return undefined
  const lists = [...expression.matchAll(/\b(?:by|group_left|group_right)\s*\(([^)]*)\)/g)].map(([, list = '']) => list)
  return new Set(lists.flatMap((list) => list.split(',').map((label) => label.trim())))
}

/** What is wrong with a template, and how to fix it in the annotation or label of a given name. */
interface Problem {
  readonly message: string
  readonly fix: (name: string) => string
}

function labelProblem(template: string, left: ReadonlySet<string> | undefined): Problem | undefined {
  if (left === undefined) return undefined
  const lost = [...template.matchAll(/\$labels\.(\w+)/g)]
    .map(([, name = '']) => name)
    .find((name) => name !== 'alertname' && !left.has(name))
  return lost === undefined
    ? undefined
    : {
        message: `the expression aggregates the label "${lost}" away; it keeps ${[...left].join(', ') || 'none'}`,
        fix: (name) => `Keep ${lost} in expr: by (${[...left, lost].join(', ')}); or leave it out of ${name}.`,
      }
}

/** What is wrong with a Go template of Prometheus; undefined when nothing is found. */
function templateProblem(template: string): Problem | undefined {
  const rest = template.replace(/\{\{[^{}]*\}\}/g, '')
  if (rest.includes('{{') || rest.includes('}}'))
    return {
      message: 'a {{ without }}, or a }} without {{',
      fix: (name) => `Close every {{ in ${name} with }}.`,
    }
  for (const [action] of template.matchAll(/\{\{[^{}]*\}\}/g))
    for (const [variable] of action.matchAll(/\$\w+/g))
      if (
        !['$labels', '$value', '$externalLabels', '$externalURL'].includes(variable) &&
        !template.includes(`${variable} :=`) &&
        !template.includes(`, ${variable}`)
      )
        return {
          message: `${variable} is not a Prometheus template variable; expected $labels, $value or $externalLabels`,
          fix: (name) => `Write $labels.<label> or $value in ${name}.`,
        }
  return undefined
}
