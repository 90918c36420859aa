import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { project, runCommand, scratchRepository } from '../support/repository.ts'

const namespace = (name: string) => ({
  [`overlays/${name}/kustomization.yaml`]: 'resources: [namespace.yaml]\n',
  [`overlays/${name}/namespace.yaml`]: `apiVersion: v1
kind: Namespace
metadata: {name: shop-${name}, labels: {pod-security.kubernetes.io/enforce: restricted}}
`,
})
const base = {
  'promotion.yaml': 'order: [dev, qa, prod]\n',
  ...namespace('dev'),
  ...namespace('qa'),
  ...namespace('prod'),
}

/** `rule file:line` of every finding that the check of a scratch repository has. */
function findings(files: Record<string, string>): string[] {
  const { stdout } = runCommand(scratchRepository({ ...base, ...files }), ['check', '--format', 'json'])
  const { targets } = JSON.parse(stdout) as {
    targets: { findings: { rule: string; message: string; source: { file: string; line: number } }[] }[]
  }
  return targets.flatMap((target) =>
    target.findings.map(({ rule, message, source }) => `${rule} ${source.file}:${source.line} ${message}`),
  )
}

describe('CODEOWNERS', () => {
  it.each([
    ['names each', '/overlays/qa/ @a/b\n/overlays/prod/ @a/b\n/promotion.yaml @a/b\n', []],
    ['names all', '* @a/b\n', []],
    ['names a folder of both', 'overlays/ @a/b\npromotion.yaml @a/b\n', []],
    ['names by a pattern', '/overlays/*/versions.yaml @a/b\n*.yaml @a/b\n', []],
    ['forgets one', '/overlays/prod/ @a/b\n/promotion.yaml @a/b\n', ['overlays/qa/versions.yaml']],
    ['misspells one', '/overlay/qa/ @a\n/overlays/prod/ @a/b\n/promotion.yaml @a/b\n', ['overlays/qa/versions.yaml']],
    ['forgets the order', '/overlays/ @a/b\n', ['promotion.yaml']],
    ['takes the owners of one away', '* @a/b\n/overlays/prod/\n', ['overlays/prod/versions.yaml']],
    ['has one in a comment', '/overlays/ @a/b\n# /promotion.yaml @a/b\n', ['promotion.yaml']],
  ])('that %s', (_case, owners, paths) => {
    expect(findings({ '.github/CODEOWNERS': owners })).toEqual(
      paths.map((path) => `code-owners .github/CODEOWNERS:1 nobody has to approve a change of ${path}`),
    )
  })
})

describe('the addresses of this repository', () => {
  const application = (url: string) => ({
    'argocd/kustomization.yaml': 'resources: [application.yaml, project.yaml]\n',
    'argocd/application.yaml': `apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: dev, namespace: argocd}
spec:
  project: shop
  source: {repoURL: "${url}", path: overlays/dev}
  destination: {server: "https://kubernetes.default.svc", namespace: shop-dev}
`,
    'argocd/project.yaml': `apiVersion: argoproj.io/v1alpha1
kind: AppProject
metadata: {name: shop, namespace: argocd}
spec: {sourceRepos: ["*"], destinations: [{server: "*", namespace: "*"}], clusterResourceWhitelist: [{group: "", kind: Namespace}]}
`,
  })
  const config = `delivery:
  folders: [argocd]
  repositories: ["https://git.shop.net/shop.git"]
provided: [{kind: Namespace, name: argocd, by: somebody}]
`
  it('pass where an Application has them', () => {
    expect(findings({ 'check.yaml': config, ...application('https://git.shop.net/shop.git') })).toEqual([])
  })

  it('are an error where the Applications have another one', () => {
    expect(findings({ 'check.yaml': config, ...application('https://git.shop.net/new.git') })).toEqual([
      'delivery-repository check.yaml:3 no Application comes from https://git.shop.net/shop.git, an address of this repository',
      'application-repository argocd/application.yaml:6 dev renders overlays/dev, a folder of this repository, from https://git.shop.net/new.git, which is not a listed address of this repository',
    ])
  })
})

it.each([
  ['parity: [qa, prdo]\n', 'parity names prdo; expected one of dev, qa, prod'],
  [
    'provided: [{kind: Secret, name: a, by: b, environments: [dve]}]\n',
    'provided[0].environments names dve; expected one of dev, qa, prod',
  ],
  [
    'exemptions: [{rule: a, object: Pod a, environments: [stage]}]\n',
    'exemptions[0].environments names stage; expected one of dev, qa, prod',
  ],
])('refuses a check.yaml that names an environment that is not there: %s', (content, message) => {
  const { code, stderr } = runCommand(scratchRepository({ ...base, 'check.yaml': content }), ['check'])
  expect(stderr).toContain(`check.yaml: ${message}`)
  expect(code).toBe(2)
})

describe('the placeholders of platform.yaml', () => {
  const platform = readFileSync(join(project, 'platform.yaml'), 'utf8')
  const check = (content: string, ...args: string[]) => {
    const folder = scratchRepository({ ...base, 'platform.yaml': content })
    return runCommand(folder, ['check', ...args])
  }
  const adopted = platform.replaceAll(/\bexample\b/g, 'acme')
  const delivered = adopted.replace(/^grafana: .*$/m, 'grafana: https://grafana.example.com')

  it('are named in a note that changes no exit code', () => {
    const { code, stdout } = check(delivered)
    expect(stdout).toContain('note prod still has placeholder values (grafana): run npm run init')
    expect(code).toBe(0)
    expect(JSON.parse(check(delivered, '--format', 'json').stdout).notices).toHaveLength(1)
  })

  it('are not named without prod, nor where none is left', () => {
    expect(check(delivered, 'dev').stdout).not.toContain('note')
    expect(check(adopted).stdout).not.toContain('note')
  })
})

it('orders the environments as promotion.yaml does', () => {
  const folder = scratchRepository(base)
  writeFileSync(join(folder, 'promotion.yaml'), 'order: [qa, prod, dev]\n')
  cpSync(join(folder, 'overlays/dev'), join(folder, 'overlays/after'), { recursive: true })
  const { stdout } = runCommand(folder, ['check', '--format', 'json'])
  expect(JSON.parse(stdout).targets.map(({ target }: { target: string }) => target)).toEqual([
    'qa',
    'prod',
    'dev',
    'after',
  ])
})
