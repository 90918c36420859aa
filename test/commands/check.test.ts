import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { project, runCommand, scratchRepository } from '../support/repository.ts'

const service =
  'apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: shop}\nspec: {type: ExternalName, externalName: db.example.com}\n'
const bomb = `a: &a [${'x, '.repeat(20)}]\nb: &b [${'*a, '.repeat(20)}]\nc: &c [${'*b, '.repeat(20)}]\nd: [${'*c, '.repeat(20)}]\n`
const namespace = 'apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n'
const right = {
  'overlays/dev/kustomization.yaml': 'resources: [all.yaml]\n',
  'overlays/dev/all.yaml': `${namespace}---\n${service}`,
}

const check = (files: Record<string, string | Buffer>, args: string[] = [], input?: string | Buffer) =>
  runCommand(scratchRepository(files), ['check', ...args], input)

describe('check', () => {
  it('exits 0 and reports it when everything passed', () => {
    const { code, stdout, stderr } = check(right)
    expect(stderr).toBe('')
    expect(stdout).toMatch(/^dev +2 objects +passed$/m)
    expect(code).toBe(0)
  })

  it('exits 1 with the finding, its file and line, and the fix', () => {
    const { code, stdout } = check({
      ...right,
      'overlays/dev/all.yaml': `${namespace}---\n${service.replace('type:', 'typo:')}`,
    })
    expect(stdout).toMatch(
      /error spec\.typo: the schema knows no field "typo" here \[schema\]\n {4}at {2}overlays\/dev\/all\.yaml:8\n {8}8 │ spec: \{typo: .*\n {10}│ {8}\^\^\^\^\n {4}fix /,
    )
    expect(code).toBe(1)
  })

  it('reports every schema error, each at its own line', () => {
    const wrong =
      'apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec:\n  externalName: []\n  ports:\n    - port: x\n      typo: 1\n'
    const { stdout } = check({}, ['--file', '-'], wrong)
    expect(stdout).toMatch(/spec\.externalName: got array, want (null or )?string \[schema\]\n {4}at {2}<stdin>:5/)
    expect(stdout).toMatch(/spec\.ports\[0\]\.port: got string, want integer \[schema\]\n {4}at {2}<stdin>:7/)
    expect(stdout).toMatch(
      /spec\.ports\[0\]\.typo: the schema knows no field "typo" here \[schema\]\n {4}at {2}<stdin>:8/,
    )
  })

  it('prints JSON with its version', () => {
    const { stdout } = check({ ...right, 'overlays/dev/all.yaml': service }, ['--format', 'json'])
    const report = JSON.parse(stdout)
    expect(report.version).toBe(1)
    expect(report.targets.map(({ target, objects }: { target: string; objects: number }) => [target, objects])).toEqual(
      [['dev', 1]],
    )
  })

  it('writes a report to a file and the text to stdout', () => {
    const folder = scratchRepository({ ...right, 'overlays/dev/all.yaml': service })
    const { stdout, code } = runCommand(folder, ['check', '--format', 'json', '--output', 'report.json'])
    expect(stdout).toMatch(/^dev +1 object +1 error$/m)
    expect(JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8')).targets[0].findings).toHaveLength(1)
    expect(code).toBe(1)
  })

  it('explains a rule', () => {
    const { stdout, code } = runCommand(project, ['check', '--explain', 'service-target-port'])
    expect(stdout).toMatch(/^service-target-port \(error, networking\)\n/)
    expect(stdout).toMatch(/This fails \(test\/rules\/service-target-port\/fail-[\s\S]*This passes \(test\/rules/)
    expect(stdout).toContain('docs/rules/service-target-port.md')
    expect(code).toBe(0)
  })

  it('caches an unchanged check and detects a change', () => {
    const folder = scratchRepository(right)
    const first = runCommand(folder, ['check'])
    const second = runCommand(folder, ['check'])
    expect(second.stdout).toBe(
      `${first.stdout}Using the cached result: no inputs changed. --no-cache runs the check again.\n`,
    )
    writeFileSync(join(folder, 'overlays/dev/all.yaml'), service.replace('type:', 'typo:'))
    expect(runCommand(folder, ['check']).code).toBe(1)
    mkdirSync(join(folder, 'overlays/prod'))
    writeFileSync(join(folder, 'overlays/prod/kustomization.yaml'), 'resources: [../dev]\n')
    expect(runCommand(folder, ['check']).stdout).toContain('prod')
  })
})

describe('several inputs', () => {
  const broken = service.replace('type:', 'typo:')
  const targets = (stdout: string) =>
    (
      JSON.parse(stdout) as { targets: { target: string; objects: number; findings: { source: { file: string } }[] }[] }
    ).targets.map(({ target, objects, findings }) => [
      target,
      objects,
      ...new Set(findings.map(({ source }) => source.file)),
    ])
  const files = {
    'a.yaml': broken,
    'b.yaml': namespace,
    'many/web.yaml': service,
    'many/deep/shop.yml': namespace,
    'many/deep/other.json': JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, date: {} }),
    'many/notes.md': '# no manifest',
    'many/app/kustomization.yaml': 'resources: [base]\n',
    'many/app/base/kustomization.yaml': 'resources:\n  - all.yaml\n',
    'many/app/base/all.yaml': broken,
    'many/part/kustomization.yaml': 'kind: Component\n',
  }
  const json = ['--format', 'json']

  it('checks every --file', () => {
    const { code, stdout } = check(files, ['--file', 'a.yaml', '--file', 'b.yaml', ...json])
    expect(targets(stdout)).toEqual([
      ['a.yaml', 1, 'a.yaml'],
      ['b.yaml', 1],
    ])
    expect(code).toBe(1)
  })

  it('checks every --kustomize', () => {
    const { code, stdout } = check(
      {
        'a/kustomization.yaml': 'resources: [a.yaml]\n',
        'a/a.yaml': broken,
        'b/kustomization.yaml': 'resources: [b.yaml]\n',
        'b/b.yaml': namespace,
      },
      ['--kustomize', 'a', '--kustomize', 'b', ...json],
    )
    expect(targets(stdout).map(([target]) => target)).toEqual(['a', 'b'])
    expect(code).toBe(1)
  })

  it('checks the manifests of a folder together, and renders the kustomizations in it', () => {
    const { stdout } = check(files, ['--file', 'many', ...json])
    expect(targets(stdout)).toEqual([
      ['many', 3, 'many/deep/other.json'],
      ['many/app', 1, 'many/app/base/all.yaml'],
    ])
  })

  it('checks what a glob matches, together: an object may be defined once', () => {
    const { stdout } = check({ 'a.yaml': namespace, 'b.yaml': namespace }, ['--file', '*.yaml', ...json])
    expect(targets(stdout)).toEqual([['*.yaml', 2, 'b.yaml']])
  })
})

describe('a usage error exits 2 and reports what was expected', () => {
  const cases: [string, string[], RegExp][] = [
    ['an unknown environment', ['prd'], /unknown environment "prd"; expected one of dev/],
    ['an unknown option', ['--fast'], /Unknown option '--fast'[\s\S]*usage:/],
    ['an unknown format', ['--format', 'xml'], /unknown format "xml"; expected one of text, json, /],
    ['an unknown rule', ['--explain', 'service-port'], /no rule "service-port"; expected one of .*service-target-port/],
    [
      'a report that cannot be written',
      ['--output', 'none/report.txt'],
      /the report cannot be written: .*none\/report/,
    ],
    ['two kinds of input together', ['dev', '--file', 'x.yaml'], /expected only one of/],
    ['a missing file', ['--file', 'none.yaml'], /no such file: none\.yaml/],
    ['a folder without manifests', ['--file', 'empty'], /empty holds no manifests/],
    ['a folder of components alone', ['--file', 'parts'], /parts holds no manifests/],
    ['a glob without matches', ['--file', 'overlays/**/*.toml'], /no file matches overlays\/\*\*\/\*\.toml/],
    ['a value that belongs to an option', ['html'], /unexpected "html"/],
    ['a missing folder', ['--kustomize', 'none'], /no such folder: none/],
    ['a folder without a kustomization', ['--kustomize', 'overlays'], /overlays holds no kustomization\.yaml/],
  ]
  const folders = { ...right, 'empty/notes.md': '', 'parts/kustomization.yaml': 'kind: Component\n' }
  it.each(cases)('%s', (_what, args, expected) => {
    const { code, stderr, stdout } = check(folders, args)
    expect(stderr).toMatch(expected)
    expect(stdout).toBe('')
    expect(code).toBe(2)
  })

  it('a repository without environments', () => {
    const { code, stderr } = check({ 'README.md': '' })
    expect(stderr).toMatch(/there is no environment/)
    expect(code).toBe(2)
  })

  it('a file of 50 MB', () => {
    const { code, stderr } = check({ 'big.yaml': Buffer.alloc(50e6, '# nothing\n') }, ['--file', 'big.yaml'])
    expect(stderr).toMatch(/big\.yaml holds 48 MiB or more; at most 32 MiB is read/)
    expect(code).toBe(2)
  })

  it('50 MB on standard input', () => {
    const { code, stderr } = check(right, ['--file', '-'], Buffer.alloc(50e6, '# nothing\n'))
    expect(stderr).toMatch(/standard input holds 32 MiB or more/)
    expect(code).toBe(2)
  })

  it('an invalid check.yaml, with its line', () => {
    const { code, stderr } = check({
      ...right,
      'check.yaml': 'provided:\n  - kind: Secret\n    name: a\n    bye: me\n',
    })
    expect(stderr).toMatch(
      /check\.yaml:2: provided\[0\]: lacks the key "by"[\s\S]*check\.yaml:4: provided\[0\]\.bye: this key is unknown here/,
    )
    expect(code).toBe(2)
  })
})

describe('invalid manifests exit 1 with the file and line', () => {
  const overlay = (kustomization: string, more: Record<string, string> = {}) => ({
    'overlays/dev/kustomization.yaml': kustomization,
    ...more,
  })
  const cases: [string, Record<string, string>, RegExp][] = [
    [
      'a dangling base',
      overlay('resources:\n  - ../../base/none\n'),
      /\[render\]\n {4}at {2}overlays\/dev\/kustomization\.yaml:2/,
    ],
    [
      'YAML that does not parse',
      overlay('resources: [a.yaml]\n', { 'overlays/dev/a.yaml': 'a: [\n' }),
      /a\.yaml[\s\S]*\[render\]/,
    ],
    ['an empty render', overlay('resources: []\n'), /\[(empty-render|render)\]/],
    [
      'a kind that no schema knows',
      overlay('resources: [a.yaml]\n', {
        'overlays/dev/a.yaml': 'apiVersion: example.com/v1\nkind: Foo\nmetadata: {name: a}\n',
      }),
      /no schema is known for example\.com\/v1 Foo[\s\S]*a\.yaml:2/,
    ],
    [
      'the same object twice',
      overlay('resources: [a.yaml, b.yaml]\n', { 'overlays/dev/a.yaml': service, 'overlays/dev/b.yaml': service }),
      /already registered id[\s\S]*\[render\]/,
    ],
  ]
  it.each(cases)('%s', (_what, files, expected) => {
    const { code, stdout } = check(files)
    expect(stdout).toMatch(expected)
    expect(code).toBe(1)
  })

  const inputs: [string, string, RegExp][] = [
    ['broken YAML', 'a: 1\nb: [\n', /\[yaml-syntax\]\n {4}at {2}<stdin>:\d/],
    ['a duplicate key', `${service}spec: {}\n`, /\[duplicate-key\]\n {4}at {2}<stdin>:5/],
    ['a document without kind', 'metadata: {name: a}\n', /has no apiVersion, no kind; expected a Kubernetes object/],
    ['the same object twice', `${service}---\n${service}`, /is defined twice[\s\S]*<stdin>:6/],
    ['a binary file', '\0\0\0', /not a text file/],
    ['nothing at all', '', /there is no object in it/],
    [
      'a YAML bomb, and the document after it',
      `${bomb}---\n${service.replace('ExternalName, externalName: db.example.com', 'Nonsense')}`,
      /aliases cannot be resolved[\s\S]*<stdin>:\d[\s\S]*shop\/web[\s\S]*<stdin>:9/,
    ],
  ]
  it.each(inputs)('%s on standard input', (_what, input, expected) => {
    const { code, stdout } = check({ 'README.md': '' }, ['--file', '-'], input)
    expect(stdout).toMatch(expected)
    expect(code).toBe(1)
  })
})

describe('render', () => {
  it('prints the manifests', () => {
    const { code, stdout } = runCommand(scratchRepository(right), ['render', 'dev'])
    expect(stdout).toContain('externalName: db.example.com')
    expect(code).toBe(0)
  })

  it('exits 2 without an environment and lists the existing ones', () => {
    const { code, stderr } = runCommand(scratchRepository(right), ['render'])
    expect(stderr).toMatch(/expected one environment of dev/)
    expect(code).toBe(2)
  })

  it("exits 1 with kustomize's message", () => {
    const { code, stderr } = runCommand(
      scratchRepository({ 'overlays/dev/kustomization.yaml': 'resources: [none.yaml]\n' }),
      ['render', 'dev'],
    )
    expect(stderr).toMatch(/none\.yaml/)
    expect(code).toBe(1)
  })
})
