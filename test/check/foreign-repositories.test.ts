import { cpSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { check as runCheck } from '#check/check.ts'
import type { TargetResult } from '#check/result.ts'
import { scratchRepository } from '../support/repository.ts'

const folder = join(import.meta.dirname, 'foreign')
const files = readdirSync(folder).filter((name) => /\.(?:yaml|json)$/.test(name))

/** A repository of others, outside of this one. */
function foreignRepository(): string {
  const repository = scratchRepository({})
  cpSync(folder, repository, { recursive: true })
  mkdirSync(join(repository, '.git'))
  return repository
}

/** Checks something in a repository, as the command does when it is typed there. */
async function check(
  what: { file: readonly string[] } | { kustomize: readonly string[] },
  repository = foreignRepository(),
): Promise<TargetResult> {
  vi.stubEnv('INIT_CWD', repository)
  const { targets } = await runCheck({ environments: [], admit: false, map: true, ...what })
  const [target] = targets
  if (target === undefined) throw new Error('nothing was checked')
  return target
}

/** What is wrong for sure; the Pod Security Standards hold for any pod, and warnings advise. */
function errors({ findings }: TargetResult): string[] {
  const sure = findings.filter(({ rule, severity }) => severity === 'error' && !rule.startsWith('pod-security-'))
  return sure.map(({ rule, object = '' }) => `${rule} ${object}`.trim()).sort()
}

/**
 * Manifests such as other repositories hold. `# finds <rule> <object>` names each error that is true of them; that there are no others is what
 * this proves: a linter with false alarms gets disabled.
 */
describe('manifests of others are checked without a false positive', () => {
  const strict = files.filter((name) => name !== 'wrong-types.yaml')
  it.each(strict)('%s', async (name) => {
    const content = readFileSync(join(folder, name), 'utf8')
    const expected = [...content.matchAll(/^# finds (.+)$/gm)].map(([, finding = '']) => finding.trim())
    expect(errors(await check({ file: [name] }))).toEqual(expected.sort())
  })

  it('of wrong types in every field end in findings of the schema', async () => {
    const { findings, objects } = await check({ file: ['wrong-types.yaml'] })
    const wrong = new Set(findings.filter(({ rule }) => rule === 'schema').map(({ object }) => object))
    expect(wrong.size).toBe(objects)
    for (const { message } of findings) expect(message).not.toMatch(/\[object Object\]|undefined|NaN/)
  })
})

describe('kustomizations of others', () => {
  it('with prefixes, suffixes, generators and patches name the lines of their own files', async () => {
    const target = await check({ kustomize: ['shop/overlays/eu'] })
    expect(errors(target)).toEqual(['service-target-port Service shop-eu/eu-shop-one'])
    const places = target.findings.map(({ source }) => source?.file)
    expect(places).toContain('shop/base/service.yaml')
    expect(places).toContain('shop/overlays/eu/kustomization.yaml')
  })

  it('with fields that are deprecated are read', async () => {
    expect(errors(await check({ kustomize: ['legacy'] }))).toEqual(['service-target-port Service legacy'])
  })

  it('go by the check.yaml of their own repository', async () => {
    const repository = scratchRepository({
      '.git/HEAD': '',
      'check.yaml': 'provided:\n  - {kind: Namespace, name: web, by: the platform}\n',
      'apps/web/kustomization.yaml': 'resources: [all.yaml]\n',
      'apps/web/all.yaml':
        'apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: web, namespace: web}\nimagePullSecrets: [{name: registry}]\n',
    })
    expect(errors(await check({ kustomize: ['apps/web'] }, repository))).toEqual([
      'secret-exists ServiceAccount web/web',
    ])
  })
})

it('reports which rules it skipped, what they need, and which kinds it did not validate', async () => {
  const { skippedRules } = await check({ file: ['operators.yaml'] })
  expect(skippedRules).toContainEqual({ rule: 'namespace-declared', needs: expect.stringMatching(/^a check\.yaml/) })
  expect(skippedRules).toContainEqual({ rule: 'models-agree', needs: 'a program that reads CHAT_MODEL or EMBED_MODEL' })
  expect(skippedRules).toContainEqual({
    rule: 'schema',
    needs: 'a schema for Kafka of kafka.strimzi.io/v1beta2 (1 object)',
  })
})

it('skips no rule that it expects to apply in the environments of this repository', async () => {
  const { targets } = await runCheck({ environments: [], admit: false, map: false })
  const skipped = targets.map(({ target, skippedRules }) => [target, skippedRules.map(({ rule }) => rule)])
  expect(skipped.filter(([, rules = []]) => rules.length > 0)).toEqual([])
})
