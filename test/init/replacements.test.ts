import { expect, it } from 'vitest'
import { changesBetween, isReplaceable, replaceValues } from '#init/replacements.ts'

const change = (key: string, old: string, now: string) => ({ key, old, now })
const replaced = (file: string, content: string, ...changes: ReturnType<typeof change>[]) =>
  replaceValues(file, content, changes)

it.each([
  ['host: inference.example.com', 'host: ai.acme.net'],
  ['https://inference.example.com/v1', 'https://ai.acme.net/v1'],
  ['to inference.example.com. Then', 'to ai.acme.net. Then'],
  ['cn="inference.example.com"', 'cn="ai.acme.net"'],
  ['www.inference.example.com', 'www.inference.example.com'],
  ['inference.example.com.internal', 'inference.example.com.internal'],
  ['my-inference.example.com', 'my-inference.example.com'],
  ['inference.example.community', 'inference.example.community'],
  ['someone@inference.example.com', 'someone@inference.example.com'],
])('replaces a host only where it is the whole name: %s', (content, expected) => {
  expect(replaced('a.yaml', content, change('hosts.prod', 'inference.example.com', 'ai.acme.net')).content).toBe(
    expected,
  )
})

it('distinguishes the address of the clone from the one that people read', () => {
  const git = change('git', 'https://github.com/example/inference.git', 'git@git.acme.net:ai/platform.git')
  const web = change('web', 'https://github.com/example/inference', 'https://git.acme.net/ai/platform/-')
  const content = 'https://github.com/example/inference.git https://github.com/example/inference/blob/main/x'
  expect(replaced('a.yaml', content, web, git)).toEqual({
    content: 'git@git.acme.net:ai/platform.git https://git.acme.net/ai/platform/-/blob/main/x',
    count: 2,
  })
})

it('lets two values change places', () => {
  const changes = [change('hosts.dev', 'a.acme.net', 'b.acme.net'), change('hosts.prod', 'b.acme.net', 'a.acme.net')]
  expect(replaced('a.yaml', 'a.acme.net b.acme.net', ...changes).content).toBe('b.acme.net a.acme.net')
})

it('takes a new value literally', () => {
  expect(replaced('a.yaml', 'a.acme.net', change('git', 'a.acme.net', '$&$1')).content).toBe('$&$1')
})

it.each([
  ['overlays/a.yaml', '  storageClassName: ssd\n', true],
  ['overlays/a.yaml', '  path: /spec/storageClassName\n  value: ssd\n', true],
  ['check.yaml', '  - kind: StorageClass\n    name: ssd\n', true],
  ['overlays/a.yaml', '  name: ssd\n', false],
  ['overlays/a.yaml', '  storageClassName: ssd-large\n', false],
  ['docs/setup.md', 'a storage class `ssd`', true],
  ['docs/setup.md', 'on an ssd', false],
  // The cluster of kind has its own class, and the first column names a component.
  ['overlays/kind/a.yaml', '  storageClassName: ssd\n', false],
  ['argocd/kind/a.yaml', '  storageClassName: ssd\n', false],
  ['check.yaml', '  - kind: StorageClass\n    name: ssd\n    environments: [kind]\n', false],
  ['docs/setup.md', '| `ssd` | volumes', false],
  ['components/README.md', '| [`ssd`](ssd) | volumes', false],
  ['components/README.md', '| volumes on `ssd` |', true],
])('replaces a storage class only in the fields that hold one: %s %j', (file, content, changes) => {
  expect(replaced(file, content, change('storageClasses.fast', 'ssd', 'gp3')).content).toBe(
    changes ? content.replace('ssd', 'gp3') : content,
  )
})

it('replaces groups and owners where they are named, not the words', () => {
  const group = change('groups.operators', 'admin', 'sre')
  expect(replaced('argocd/p.yaml', 'groups:\n  - admin\nrole:admin\n', group).content).toBe(
    'groups:\n  - sre\nrole:admin\n',
  )
  expect(replaced('argocd/p.yaml', '    g, admin, role:admin', group).content).toBe('    g, sre, role:admin')
  const owner = change('owners.operators', '@a/ops', '@b/ops')
  expect(replaced('.github/CODEOWNERS', '/x/ @a/ops @a/ops-x\n', owner).content).toBe('/x/ @b/ops @a/ops-x\n')
  expect(replaced('docs/a.md', '@a/ops', owner).count).toBe(0)
})

it('leaves fixtures, generated files, recorded reports and locks alone', () => {
  for (const file of ['test/rules/x/pass-a.yaml', 'docs/rules/x.md', 'docs/evidence/e2e.html', 'package-lock.json'])
    expect(isReplaceable(file)).toBe(false)
  for (const file of ['base/a.yaml', 'argocd/platform/dashboards/broker.json', 'docs/setup.md', '.github/CODEOWNERS'])
    expect(isReplaceable(file)).toBe(true)
})

it('refuses two settings with one value, whose places it cannot distinguish', () => {
  const old = new Map([
    ['groups.operators', 'team'],
    ['groups.developers', 'team'],
  ])
  const both = new Map([
    ['groups.operators', 'sre'],
    ['groups.developers', 'sre'],
  ])
  expect(changesBetween(old, both)).toHaveLength(2)
  expect(() => changesBetween(old, new Map([['groups.operators', 'sre']]))).toThrow('cannot be distinguished')
})
