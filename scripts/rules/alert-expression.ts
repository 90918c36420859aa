import { at, strings, text } from '#kubernetes/model/objects.ts'
import { prometheusRulesOf } from '#kubernetes/monitoring/prometheus-rules.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'alert-expression',
  severity: 'error',
  summary:
    'The expression of an alert is closed and compares, and its texts are templates that Prometheus can read, about labels that are left.',
  why: 'Prometheus refuses the whole file of rules for one bracket or template; an alert that compares nothing fires for ever, and a label that was aggregated away is empty in the message.',
  fix: 'Mend expr or the template; promtool check rules tells whether Prometheus takes it.',
  check(environment, report) {
    for (const { object, path, rule } of prometheusRulesOf(environment)) {
      const expression = text(at(rule, 'expr'))
      if (expression === undefined) continue
      // Strings may hold any sign.
      const bare = expression.replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`/g, '""').replace(/#.*/g, '')
      const bracket = unbalanced(bare)
      if (bracket !== undefined)
        report(
          object,
          [...path, 'expr'],
          `${bracket} in the expression of ${text(at(rule, 'alert')) ?? text(at(rule, 'record'))}`,
          'Close each bracket of expr by its own kind, and open what is closed.',
        )
      if (text(at(rule, 'alert')) === undefined) continue
      if (!/[<>]|==|!=(?!~)/.test(bare.replace(/\{[^}]*\}/g, '')) && !/\babsent|\bunless\b|\bALERTS\b/.test(bare))
        report(
          object,
          [...path, 'expr'],
          `alert ${text(at(rule, 'alert'))} compares nothing, so it fires as long as there are series`,
          'Compare expr with the border beyond which the alert shall fire: expr > 0.',
        )
      const left = labelsLeft(bare)
      for (const part of ['annotations', 'labels'])
        for (const [name, template] of Object.entries(strings(at(rule, part)))) {
          const fault = templateFault(template) ?? labelFault(template, left)
          if (fault !== undefined) report(object, [...path, part, name], fault.message, fault.fix(name))
        }
    }
  },
})

const closing: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' }

/** What is wrong with the brackets of an expression; undefined when each is closed by its own. */
function unbalanced(expression: string): string | undefined {
  const open: string[] = []
  for (const sign of expression) {
    const close = closing[sign]
    if (close !== undefined) open.push(close)
    else if (sign === ')' || sign === ']' || sign === '}') {
      const expected = open.pop()
      if (expected !== sign)
        return expected === undefined ? `"${sign}" closes nothing` : `"${sign}" stands where "${expected}" is expected`
    }
  }
  return open.length === 0 ? undefined : `"${open.at(-1)}" is missing`
}

/** Bounded and without nested repeats, so that a hostile expression costs no more than its length. */
const aggregated =
  /^(?:histogram_quantile\s*\([^,]{0,200},[\s(]*)?(?:sum|min|max|avg|count|group|stddev|stdvar|topk|bottomk|quantile)\b/

/** The labels that the result can still have where it is an aggregation; undefined where that is not known. */
function labelsLeft(expression: string): ReadonlySet<string> | undefined {
  if (
    !aggregated.test(expression.replace(/^[\s(]+/, '')) ||
    /\bwithout\b|\blabel_replace\b|\blabel_join\b/.test(expression)
  )
    return undefined
  const lists = [...expression.matchAll(/\b(?:by|group_left|group_right)\s*\(([^)]*)\)/g)].map(([, list = '']) => list)
  return new Set(lists.flatMap((list) => list.split(',').map((label) => label.trim())))
}

/** What is wrong with a template, and what to do about it in the text of this name. */
interface Fault {
  readonly message: string
  readonly fix: (name: string) => string
}

function labelFault(template: string, left: ReadonlySet<string> | undefined): Fault | undefined {
  if (left === undefined) return undefined
  const lost = [...template.matchAll(/\$labels\.(\w+)/g)]
    .map(([, name = '']) => name)
    .find((name) => name !== 'alertname' && !left.has(name))
  return lost === undefined
    ? undefined
    : {
        message: `the expression has aggregated the label "${lost}" away; it keeps ${[...left].join(', ') || 'none'}`,
        fix: (name) => `Keep ${lost} in expr: by (${[...left, lost].join(', ')}); or leave it out of ${name}.`,
      }
}

/** What is wrong with a Go template of Prometheus; undefined when nothing is seen. */
function templateFault(template: string): Fault | undefined {
  const rest = template.replace(/\{\{[^{}]*\}\}/g, '')
  if (rest.includes('{{') || rest.includes('}}'))
    return {
      message: 'a {{ is not closed by }}, or the other way round',
      fix: (name) => `Close every {{ of ${name} by }}.`,
    }
  for (const [action] of template.matchAll(/\{\{[^{}]*\}\}/g))
    for (const [variable] of action.matchAll(/\$\w+/g))
      if (
        !['$labels', '$value', '$externalLabels', '$externalURL'].includes(variable) &&
        !template.includes(`${variable} :=`) &&
        !template.includes(`, ${variable}`)
      )
        return {
          message: `${variable} is no variable of Prometheus; expected $labels, $value or $externalLabels`,
          fix: (name) => `Write $labels.<label> or $value in ${name}.`,
        }
  return undefined
}
