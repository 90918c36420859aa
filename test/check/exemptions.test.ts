import { describe, expect, it } from 'vitest'
import { runCommand, scratchRepository } from '../support/repository.ts'

/** A Service that selects nothing, which is one finding of the rule service-selects-pods. */
const service = (annotations = '') => `apiVersion: v1
kind: Service
metadata:
  name: web
  namespace: shop
  annotations: {${annotations}}
spec:
  selector: {app: web}
  ports:
    - port: 80
`
const namespace = 'apiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop\n---\n'
const rule = 'service-selects-pods'

/** Checks one environment; `config` is its check.yaml. */
function check(manifests: string, config = '', environments = ['dev'], args: string[] = []) {
  const files: Record<string, string> = { 'check.yaml': config || 'provided: []\n' }
  for (const name of environments) {
    files[`overlays/${name}/kustomization.yaml`] = 'resources: [all.yaml]\n'
    files[`overlays/${name}/all.yaml`] = namespace + manifests
  }
  const { stdout, stderr, code } = runCommand(scratchRepository(files), ['check', '--format', 'json', ...args])
  if (code === 2) return { code, stderr, findings: [], exempted: [] }
  const { targets } = JSON.parse(stdout) as { targets: Target[] }
  const findings = targets.flatMap((target) => target.findings)
  return { code, stderr, findings, exempted: targets.flatMap(({ exempted }) => exempted) }
}

interface Target {
  findings: { rule: string; target: string; message: string; path: string; source: { file: string; line: number } }[]
  exempted: { rule: string; object: string; reason: string; until?: string }[]
}

const annotation = (value: string, name = rule) => `inference-platform/exempt.${name}: '${value}'`
const entry = (fields: string) => `exemptions:\n  - {${fields}}\n`

describe('a valid exemption removes the finding and is counted', () => {
  it('by an annotation', () => {
    const { code, findings, exempted } = check(service(annotation('a bucket serves it')))
    expect(findings).toEqual([])
    expect(exempted).toMatchObject([{ rule, object: 'Service shop/web', reason: 'a bucket serves it' }])
    expect(code).toBe(0)
  })

  it('by an annotation with an end', () => {
    const { findings, exempted } = check(service(annotation('until 2999-12-31: a migration')))
    expect(findings).toEqual([])
    expect(exempted).toMatchObject([{ until: '2999-12-31', reason: 'a migration' }])
  })

  const objects = ['Service shop/web', 'Service web']
  it.each(objects)('by check.yaml, for %s', (object) => {
    const { code, exempted } = check(service(), entry(`rule: ${rule}, object: ${object}, reason: not ours`))
    expect(exempted).toMatchObject([{ reason: 'not ours' }])
    expect(code).toBe(0)
  })

  it('in the summary', () => {
    const files = {
      'overlays/dev/kustomization.yaml': 'resources: [all.yaml]\n',
      'overlays/dev/all.yaml': namespace + service(annotation('a bucket')),
    }
    const { stdout } = runCommand(scratchRepository(files), ['check'])
    expect(stdout).toMatch(/^dev +2 objects +passed, 1 exempted$/m)
  })

  it('by the former id of a rule, with a note that names the current one', () => {
    const job = `apiVersion: batch/v1
kind: CronJob
metadata:
  name: sweep
  namespace: shop
  annotations: {inference-platform/exempt.cronjob-time-zone: 'any zone will do'}
spec:
  schedule: 0 3 * * *
  concurrencyPolicy: Forbid
  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: sweep, image: sweep}]}}}}
`
    const { stderr, exempted } = check(job)
    expect(exempted).toMatchObject([{ rule: 'cron-job-time-zone', reason: 'any zone will do' }])
    expect(stderr).toContain(
      'note: overlays/dev/all.yaml:11: rule "cronjob-time-zone" is now named "cron-job-time-zone"',
    )
  })

  it('with the former prefix, and a note', () => {
    const { stderr, exempted, code } = check(service(`inference.example.com/exempt.${rule}: 'on purpose'`))
    expect(code).toBe(0)
    expect(exempted).toMatchObject([{ rule, reason: 'on purpose' }])
    expect(stderr).toContain(
      `note: overlays/dev/all.yaml:11: annotation "inference.example.com/exempt.${rule}" is now named "inference-platform/exempt.${rule}"`,
    )
  })

  it('in check.yaml by the former id of a rule, with one note however many environments there are', () => {
    const job =
      'apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: sweep, namespace: shop}\nspec: {schedule: 0 3 * * *}\n'
    const config = entry('rule: cronjob-time-zone, object: CronJob sweep, reason: any zone will do')
    const { stderr, exempted } = check(job, config, ['dev', 'prod'])
    expect(exempted.map(({ rule }) => rule)).toEqual(['cron-job-time-zone', 'cron-job-time-zone'])
    expect(stderr.match(/^note: check\.yaml:2: rule "cronjob-time-zone" is now named/gm)).toHaveLength(1)
  })

  it('in every environment that it is for', () => {
    const config = entry(`rule: ${rule}, object: Service web, reason: not ours, environments: [prod]`)
    const { findings, exempted } = check(service(), config, ['dev', 'prod'])
    expect(findings).toMatchObject([{ rule, target: 'dev' }])
    expect(exempted).toHaveLength(1)
  })
})

describe('an invalid exemption is a finding at its line, and covers nothing', () => {
  const at = (line: number, file = 'overlays/dev/all.yaml') => ({ file, line })
  const cases: [string, string, string, RegExp, object][] = [
    ['an annotation without a reason', annotation(''), '', /without a reason/, at(11)],
    ['an annotation with an end but no reason', annotation('until 2999-01-01'), '', /without a reason/, at(11)],
    ['an annotation that has expired', annotation('until 2020-01-31: later'), '', /expired on 2020-01-31/, at(11)],
    [
      'an annotation whose end is not a valid date',
      annotation('until 2999-02-31: x'),
      '',
      /"2999-02-31" is not a valid date/,
      at(11),
    ],
    ['an annotation for an unknown rule', annotation('x', 'service-selects-pod'), '', /there is no such rule/, at(11)],
    [
      'an entry without a reason',
      '',
      entry(`rule: ${rule}, object: Service shop/web`),
      /without a reason/,
      at(2, 'check.yaml'),
    ],
    [
      'an entry that has expired',
      '',
      entry(`rule: ${rule}, object: Service shop/web, reason: x, until: 2020-01-31`),
      /expired on 2020-01-31/,
      at(2, 'check.yaml'),
    ],
  ]
  it.each(cases)('%s', (_what, annotations, config, message, source) => {
    const { code, findings, exempted } = check(service(annotations), config)
    expect(findings.map((finding) => finding.rule).sort()).toEqual(['exemption', rule])
    const fault = findings.find((finding) => finding.rule === 'exemption')
    expect(fault?.message).toMatch(message)
    expect(fault?.source).toMatchObject(source)
    expect(exempted).toEqual([])
    expect(code).toBe(1)
  })
})

describe('an exemption that covers nothing is a finding', () => {
  const external = `${service(annotation('x')).replace('selector: {app: web}', 'type: ExternalName\n  externalName: a.example')}`

  it('on an object', () => {
    expect(check(external).findings).toMatchObject([
      { rule: 'exemption', message: expect.stringMatching(/it covers no finding/) },
    ])
  })

  it('in check.yaml, reported once however many environments there are', () => {
    const config = entry('rule: pod-isolated, object: Deployment web, reason: x')
    const { findings } = check(service(annotation('x')), config, ['dev', 'prod'])
    expect(findings).toMatchObject([{ rule: 'exemption', path: 'exemptions[0]', source: { file: 'check.yaml' } }])
  })

  it('in check.yaml, in one of the environments that it names', () => {
    const config = entry('rule: pod-isolated, object: Deployment web, reason: x, environments: [prod]')
    expect(check(service(annotation('x')), config, ['dev', 'prod']).findings).toMatchObject([{ target: 'prod' }])
  })

  it('but not when an environment that it may cover was not checked', () => {
    const config = entry('rule: pod-isolated, object: Deployment web, reason: x')
    expect(check(service(annotation('x')), config, ['dev', 'prod'], ['dev']).findings).toEqual([])
  })

  it('but not when only a real API server could find it', () => {
    expect(check(service(`${annotation('x')}, ${annotation('x', 'admission')}`)).findings).toEqual([])
  })
})

it('rejects an exemption of an unknown form', () => {
  const { code, stderr } = check(service(), entry(`rule: ${rule}, object: web, reason: x, untill: 2999-01-01`))
  expect(stderr).toMatch(/check\.yaml:2: exemptions\[0\]\.untill: this key is unknown here/)
  expect(stderr).toMatch(/exemptions\[0\]\.object: is "web"; expected Kind namespace\/name/)
  expect(code).toBe(2)
})
