import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseDocument } from 'yaml'
import { UsageError } from '#cli/errors.ts'
import { formatPath, pointerPath } from '#kubernetes/model/finding.ts'
import { environments } from '#manifests/kustomize.ts'
import { validator } from '#system/json-schema.ts'
import schema from './promotion.schema.json' with { type: 'json' }
import { firstLine, versionsFile } from './values.ts'

/** The content of `promotion.yaml`. */
export interface PromotionConfig {
  /** The environments in the order of promotion; the first takes changes directly. */
  readonly order: readonly string[]
  /** Minimum hours since the merge into the previous environment, by target environment. */
  readonly soakHours: Readonly<Record<string, number>>
  readonly freezes: readonly Freeze[]
}

/** A period in which nothing is promoted into these environments. */
interface Freeze {
  readonly environments: readonly string[]
  /** ISO 8601 with a time zone. */
  readonly from: string
  readonly until: string
  readonly reason: string
}

/**
 * Reads `promotion.yaml`.
 * @throws UsageError naming each invalid field
 */
export async function readPromotionConfig(root: string): Promise<PromotionConfig> {
  const file = join(root, 'promotion.yaml')
  if (!existsSync(file))
    throw new UsageError(
      'there is no promotion.yaml; expected a file with the order of the environments, as described in docs/promotion.md',
    )
  const document = parseDocument(readFileSync(file, 'utf8'))
  const [broken] = document.errors
  if (broken !== undefined) throw new UsageError(`promotion.yaml is not valid YAML: ${firstLine(broken)}`)
  const value = document.toJS()
  const check = await validator(schema)
  if (!check(value)) {
    const problems = (check.errors ?? []).map(
      ({ instancePath, message }) =>
        `promotion.yaml: ${formatPath(pointerPath(instancePath)) || 'the file'} ${message}`,
    )
    throw new UsageError(problems.join('\n'))
  }
  const config = value as PromotionConfig
  refuseUnknown(root, config)
  for (const { from, until } of config.freezes)
    if (!(Date.parse(from) < Date.parse(until)))
      throw new UsageError(
        `promotion.yaml: the freeze from ${from} until ${until} ends before it begins; expected from to be earlier than until`,
      )
  return config
}

/** A misspelled name would leave its environment without a soak or a freeze. */
function refuseUnknown(root: string, { order, soakHours, freezes }: PromotionConfig): void {
  const there = environments(root)
    .map(({ name }) => name)
    .filter((name) => existsSync(join(root, versionsFile(name))))
  const problems = [
    ...order
      .filter((name) => !there.includes(name))
      .map((name) => `order names ${name}, but there is no ${versionsFile(name)}; there are ${there.join(', ')}`),
    ...[
      ...Object.keys(soakHours).map((name) => ['soakHours names', name] as const),
      ...freezes.flatMap((freeze) => freeze.environments.map((name) => ['a freeze names', name] as const)),
    ]
      .filter(([, name]) => !order.includes(name))
      .map(([what, name]) => `${what} ${name}; expected an environment of the order: ${order.join(', ')}`),
  ]
  if (problems.length > 0) throw new UsageError(problems.map((problem) => `promotion.yaml: ${problem}`).join('\n'))
}
