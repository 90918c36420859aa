import { createHash } from 'node:crypto'
import type { Exempted } from '#check/exemptions.ts'
import type { CheckResult } from '#check/result.ts'
import { type Finding, formatPath } from '#kubernetes/model/finding.ts'
import { docsOf, ruleTexts } from '#ruleset/catalog.ts'

/** The result as SARIF 2.1.0, which code scanning shows next to the lines. Exempted findings are included as suppressed, with their reason. */
export function reportSarif(result: CheckResult): string {
  const fingerprint = fingerprints()
  const results = result.targets.flatMap(({ findings, exempted }) => [
    ...findings.map((finding) => toResult(finding, fingerprint(finding))),
    ...exempted.map((exemption) => ({
      ...toResult(exemption.finding, fingerprint(exemption.finding)),
      suppressions: [{ kind: 'external', status: 'accepted', justification: justification(exemption) }],
    })),
  ])
  const log = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'inference-platform-check', semanticVersion: '1.0.0', rules: ruleTexts.map(toRule) } },
        originalUriBaseIds: { SRCROOT: { description: { text: 'The root of the repository.' } } },
        columnKind: 'utf16CodeUnits',
        results,
      },
    ],
  }
  return `${JSON.stringify(log, undefined, 2)}\n`
}

function justification({ reason, until }: Exempted): string {
  return until === undefined ? reason : `${reason} (until ${until})`
}

function toRule({ id, formerIds, severity, summary, why, fix }: (typeof ruleTexts)[number]) {
  return {
    id,
    ...(formerIds && { deprecatedIds: formerIds }),
    name: id.replace(/(?:^|-)(.)/g, (_match, letter: string) => letter.toUpperCase()),
    shortDescription: { text: summary },
    fullDescription: { text: why },
    help: { text: `${why} ${fix}`, markdown: `${why}\n\n**Fix:** ${fix}\n\nMore in \`${docsOf(id)}\`.` },
    defaultConfiguration: { level: severity },
  }
}

const indexes = new Map(ruleTexts.map(({ id }, index) => [id, index]))

function toResult(finding: Finding, fingerprint: string) {
  const { rule, severity, target, object, path = [], message, fix, source } = finding
  const file = source !== undefined && isFile(source.file) ? source : undefined
  const logical = object === undefined ? target : [target, object, formatPath(path)].filter(Boolean).join(' ')
  return {
    ruleId: rule,
    ruleIndex: indexes.get(rule) ?? -1,
    level: severity,
    message: { text: `${object === undefined ? target : `${target}: ${object}`}: ${message}\n${fix}` },
    locations: [
      {
        ...(file && { physicalLocation: physical(file) }),
        logicalLocations: [{ fullyQualifiedName: logical, kind: object === undefined ? 'module' : 'object' }],
      },
    ],
    partialFingerprints: { 'finding/v1': fingerprint },
  }
}

/** Standard input is not a file that anyone could open. */
function isFile(name: string): boolean {
  return !name.startsWith('<')
}

function physical({ file, line, column, text }: NonNullable<Finding['source']>) {
  const inRepository = !file.startsWith('..') && !file.startsWith('/')
  const uri = file.split('/').map(encodeURIComponent).join('/')
  return {
    artifactLocation: { uri, ...(inRepository && { uriBaseId: 'SRCROOT' }) },
    region: {
      startLine: line,
      ...(column !== undefined && { startColumn: column }),
      ...(text !== undefined && { snippet: { text } }),
    },
  }
}

/**
 * Identifies a finding across runs: rule, target, object and path. Lines move and messages contain counts, so neither is part of it; several
 * findings at one path are numbered.
 */
function fingerprints(): (finding: Finding) => string {
  const seen = new Map<string, number>()
  return ({ rule, target, object = '', path = [], message }) => {
    const identity = [rule, target, object, formatPath(path), ...(object === '' ? [message] : [])].join('\n')
    const count = seen.get(identity) ?? 0
    seen.set(identity, count + 1)
    return createHash('sha256').update(`${identity}\n${count}`).digest('hex').slice(0, 32)
  }
}
