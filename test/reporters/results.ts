import type { CheckResult, TargetResult } from '#check/result.ts'
import type { Finding } from '#kubernetes/model/finding.ts'

const target = (name: string, findings: readonly Finding[] = [], more: Partial<TargetResult> = {}): TargetResult => ({
  target: name,
  objects: 12,
  findings,
  exempted: [],
  skippedRules: [],
  ...more,
})

const port: Finding = {
  rule: 'service-target-port',
  severity: 'error',
  target: 'dev',
  object: 'Service shop/web',
  path: ['spec', 'ports', 0, 'targetPort'],
  message: 'Deployment web has no TCP port web; it declares 8080 (http)/TCP',
  fix: "Name one of the containers' ports in targetPort.",
  source: { file: 'base/web/service.yaml', line: 15, column: 7, text: '      targetPort: web # the port' },
}

const isolation: Finding = {
  rule: 'pod-isolated',
  severity: 'warning',
  target: 'dev',
  object: 'Deployment shop/web',
  path: [],
  message: 'no NetworkPolicy isolates its pods for ingress and egress',
  fix: 'Render a NetworkPolicy.',
}

/** Names and values of a hostile manifest. */
export const hostile = [
  '\u001b]0;title\u0007\u001b[31mred\u001b[0m\u009b2J\r\bgone',
  '::error file=x::injected\n::set-output name=a::b',
  '<script>alert(1)</script><img src=x onerror=alert(1)>"\'&amp;]]>',
  '[click](javascript:alert(1)) ![i](http://evil.example/i.png) **bold** `code` | @octocat #123 <b>x</b> http://evil.example',
  '\u202egnp.exe\u2066 \ud800 \ufffe',
].join('\n')

const hostileFinding: Finding = {
  rule: 'valid-names',
  severity: 'error',
  target: `dev ${hostile}`,
  object: `ConfigMap shop/${hostile}`,
  path: ['data', hostile, 0],
  message: `the name is ${hostile}`,
  fix: `Not ${hostile}`,
  source: { file: `base/${hostile}.yaml`, line: 3, column: 2, text: `  ${hostile}` },
}

/** Results by name; each is reported in every format. */
export const results: Readonly<Record<string, CheckResult>> = {
  passed: { rules: 106, targets: [target('dev'), target('prod')] },
  findings: {
    rules: 106,
    targets: [
      target('dev', [
        port,
        isolation,
        { ...port, path: ['spec', 'ports', 1, 'targetPort'], source: { file: 'base/web/service.yaml', line: 18 } },
        { rule: 'render', severity: 'error', target: 'dev', message: 'first line\nsecond line', fix: 'Fix it.' },
      ]),
      target('staging'),
      target('prod', [{ ...port, target: 'prod' }], {
        exempted: [{ finding: { ...isolation, target: 'prod' }, reason: 'moves in spring', until: '2999-03-31' }],
        skippedRules: [
          { rule: 'models-agree', needs: 'a program that reads CHAT_MODEL' },
          { rule: 'ollama-parallelism', needs: 'a program that reads CHAT_MODEL' },
        ],
      }),
    ],
  },
  'standard-input': {
    rules: 106,
    targets: [
      target(
        '<stdin>',
        [{ ...port, target: '<stdin>', source: { file: '<stdin>', line: 3, text: 'targetPort: web' } }],
        {
          objects: 1,
        },
      ),
    ],
  },
  unicode: {
    rules: 106,
    targets: [
      target('überall', [
        {
          ...port,
          target: 'überall',
          object: 'Service läden/мир-世界-🛒',
          message: 'der Wert „größer“ ist 世界 👩‍👩‍👧 – nicht gültig',
          source: { file: 'base/größe, 100%/ä b.yaml', line: 2, column: 9, text: '世界: {größe: 🛒, b: 1}' },
        },
      ]),
    ],
  },
  long: {
    rules: 106,
    targets: [
      target('dev', [
        {
          ...port,
          message: 'word '.repeat(400).trim(),
          source: {
            file: 'a.yaml',
            line: 1,
            column: 301,
            text: `${'a: 1, '.repeat(50)}targetPort: web, ${'b: 2, '.repeat(50)}`,
          },
        },
      ]),
    ],
  },
  hostile: {
    rules: 106,
    targets: [
      target(`dev ${hostile}`, [hostileFinding], {
        exempted: [{ finding: hostileFinding, reason: hostile }],
        skippedRules: [{ rule: 'schema', needs: `a schema for ${hostile}` }],
      }),
    ],
  },
}

const names = ['dev', 'staging', 'prod', ...Array.from({ length: 20 }, (_, index) => `region-${index}`)]

/** Many environments with many findings each. */
export const many: CheckResult = {
  rules: 106,
  targets: names.map((name) =>
    target(
      name,
      Array.from({ length: 8 }, (_, index) => ({
        ...port,
        target: name,
        path: ['spec', 'ports', index, 'targetPort'],
      })),
    ),
  ),
}
