import { setImmediate } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { readDocuments } from '#manifests/documents.ts'
import { locateInFile } from '#manifests/source-locations/index.ts'

const read = (content: string) => readDocuments(content, 'test', 'in.yaml')
const brief = (content: string) => read(content).findings.map(({ rule, source }) => `${rule}:${source?.line}`)

describe('readDocuments', () => {
  it('reads objects of several documents, lists and JSON', () => {
    const { objects, findings } = read(
      [
        'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: n}',
        '# only a comment',
        '{"apiVersion": "v1", "kind": "List", "items": [{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "b"}}]}',
      ].join('\n---\n'),
    )
    expect(findings).toEqual([])
    expect(objects.map(({ kind, namespace, name }) => [kind, namespace, name])).toEqual([
      ['ConfigMap', 'n', 'a'],
      ['Secret', '', 'b'],
    ])
  })

  it('keeps a line of dashes inside a block scalar in its document', () => {
    const { objects } = read(
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  x: |\n    one\n    ---\n    two\n',
    )
    expect(objects).toHaveLength(1)
    expect(objects[0]?.raw.data).toEqual({ x: 'one\n---\ntwo\n' })
  })

  it('names the line of a syntax error, whatever document it is in', () => {
    expect(brief('a: 1\n---\nb: 1\nc: [1\n')).toContain('yaml-syntax:5')
    expect(brief('---\napiVersion: v1\n  kind: x\n')[0]).toBe('yaml-syntax:2')
  })

  it('finds a key that is not a string, without a warning of the library', async () => {
    const warnings: unknown[] = []
    const listen = (warning: Error) => warnings.push(warning.message)
    process.on('warning', listen)
    const object = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n'
    for (const data of ['data: {? {b: 1} : c}', 'data:\n  ? [a]\n  : b', 'data: {a: &k {b: 1}, ? *k : c}'])
      read(object + data)
    expect(brief(`${object}data:\n  a: b\n  ? {b: 1}\n  : c\n---\n${object}`)).toEqual(['yaml-syntax:6'])
    expect(read(`${object}data: {? [a] : b}`).findings[0]?.message).toMatch(/^this key is a list; expected text/)
    expect(read(`${object}data: {1: a, true: b, 1.50: c}`).objects[0]?.raw.data).toEqual({
      1: 'a',
      true: 'b',
      1.5: 'c',
    })
    // Where a file with such a key is only asked for a line, it warns no more than here.
    locateInFile('in.yaml', `${object}data: {? {b: 1} : c}`)({ ...read(object).objects[0] } as never, ['data'])
    // A warning is emitted only in the next turn of the event loop.
    await setImmediate()
    process.off('warning', listen)
    expect(warnings).toEqual([])
  })

  it('says so when a template is given in place of what it renders to', () => {
    const object = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: '
    for (const template of ['{{ .Values.name }}', '{{ include "name" . }}', 'a\n  {{- with .Values.labels }}'])
      expect(read(object + template).findings[0]?.message, template).toMatch(/^this is a template/)
  })

  it('finds duplicate keys', () => {
    expect(brief('apiVersion: v1\nkind: A\nmetadata:\n  name: a\n  name: b\n')).toEqual(['duplicate-key:5'])
  })

  it('finds what is not an object', () => {
    expect(brief('just text\n---\n[1, 2]\n---\nkind: ConfigMap\nmetadata: {name: a}\n')).toEqual([
      'not-an-object:1',
      'not-an-object:3',
      'not-an-object:5',
    ])
    expect(read('kind: ConfigMap\nmetadata: {name: a}').findings[0]?.message).toBe(
      'ConfigMap a has no apiVersion; expected a Kubernetes object',
    )
  })

  it('finds the same object twice, but not the same name in another group', () => {
    const service = 'apiVersion: v1\nkind: Service\nmetadata: {name: a}\n'
    expect(brief(`${service}---\n${service}`)).toEqual(['duplicate-object:5'])
    expect(brief(`${service}---\napiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: a}\n`)).toEqual([])
  })

  it('refuses a binary file', () => {
    expect(brief('\u007fELF\0\0')).toEqual(['yaml-syntax:1'])
  })

  it('refuses a YAML bomb in bounded time', () => {
    const bomb = ['a: &a [x, x, x, x, x, x, x, x, x]']
    for (let i = 1; i < 12; i++)
      bomb.push(
        `${String.fromCharCode(97 + i)}: &${String.fromCharCode(97 + i)} [${Array(9).fill(`*${String.fromCharCode(96 + i)}`)}]`,
      )
    expect(brief(bomb.join('\n'))).toEqual(['yaml-syntax:1'])
  })
})
