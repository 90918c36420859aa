import { marked } from 'marked'
import { expect, it } from 'vitest'
import type { Diff } from '#diff/diff.ts'
import { diffEnvironment } from '#diff/environments.ts'
import { formatHtml } from '#diff/formats/html.ts'
import { commentLimit, formatMarkdown } from '#diff/formats/markdown.ts'
import { createEnvironment } from '#kubernetes/model/environment.ts'
import { type KubeObject, toObject } from '#kubernetes/model/objects.ts'

function config(name: string, data: Record<string, string>): KubeObject {
  return toObject({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'shop' }, data }) as KubeObject
}

function diffOf(before: readonly KubeObject[], after: readonly KubeObject[]): Diff {
  const side = (objects: readonly KubeObject[]) => ({ environment: createEnvironment('dev', objects), findings: [] })
  const one = diffEnvironment(side(before), side(after))
  return { base: { ref: 'main', commit: '0123456789abcdef' }, risk: one.risk, environments: [one], applications: [] }
}

it('fits into a comment however much changes, and reports what it leaves out', () => {
  for (const count of [10, 300, 3000]) {
    const many = (value: string) =>
      Array.from({ length: count }, (_, index) =>
        config(`settings-${index}`, { a: value.repeat(30), b: value, c: value }),
      )
    const text = formatMarkdown(diffOf(many('x'), many('y')))
    expect(text.length).toBeLessThanOrEqual(commentLimit)
    expect(text).toContain(`${count} to update in place`)
    const shown = text.match(/ConfigMap shop/g)?.length ?? 0
    const cut = Number(/_(\d+) lines are left out/.exec(text)?.[1] ?? 0)
    if (shown < count) expect(cut).toBeGreaterThanOrEqual(count - shown)
    else if (count === 10) expect(cut).toBe(0)
    expect(text.match(/<details>/g)?.length).toBe(text.match(/<\/details>/g)?.length)
  }
})

const nasty = '</pre></details><script>alert(1)</script> **bold** @everyone `code` #1'

it('shows text of manifests as text', () => {
  const diff = diffOf([config('settings', { a: 'x' })], [config('settings', { a: nasty })])
  const html = formatHtml(diff)
  expect(html).not.toContain('<script>')
  expect(html).toContain('&lt;script&gt;alert(1)')
  const markdown = formatMarkdown(diff)
  expect(markdown).not.toContain('<script>')
  expect(markdown.match(/<\/pre>/g)).toHaveLength(1)
})

it('keeps what is folded inside its fold, as GitHub lays it out', () => {
  const before = ['a', 'b', 'c'].map((name) => config(name, { x: '1', y: '1' }))
  const after = ['a', 'b', 'c'].map((name) => config(name, { x: '2', y: '2' }))
  const page = marked.parse(formatMarkdown(diffOf(before, after)), { gfm: true, async: false })
  const folds = [...page.matchAll(/<pre>(.*?)<\/pre>/gs)].map(([, text]) => text)
  expect(folds).toHaveLength(3)
  for (const text of folds) expect(text?.trim().split('\n')).toEqual(['data.x: 1 → 2', 'data.y: 1 → 2'])
})
