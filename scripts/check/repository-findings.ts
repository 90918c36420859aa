import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { applicationsOf, sourcesOf } from '#kubernetes/argocd/applications.ts'
import type { Environment } from '#kubernetes/model/environment.ts'
import type { Finding } from '#kubernetes/model/finding.ts'
import { promotionOrder } from '#manifests/kustomize.ts'
import { type Platform, placeholders } from '#platform/platform-file.ts'
import type { CheckConfig } from './config.ts'

/** What is wrong in the files of this repository beside its manifests. It needs all that is checked together. */
export function repositoryFindings(
  root: string,
  target: string,
  environments: readonly Environment[],
  config: CheckConfig,
): Finding[] {
  return [
    ...unownedFiles(root).map((finding) => ({ ...finding, target })),
    ...unusedRepositories(root, environments, config).map((finding) => ({ ...finding, target })),
  ]
}

type RepositoryFinding = Omit<Finding, 'target'>

/** What a person has to approve: the versions of each environment that is promoted into, and the order itself. */
function unownedFiles(root: string): RepositoryFinding[] {
  const file = ['.github/CODEOWNERS', 'CODEOWNERS', 'docs/CODEOWNERS'].find((name) => existsSync(join(root, name)))
  const order = promotionOrder(root)
  if (file === undefined || order.length === 0) return []
  const owned = readOwners(readFileSync(join(root, file), 'utf8'))
  const folders = order.slice(1).map((name) => [`overlays/${name}/versions.yaml`, `/overlays/${name}/`] as const)
  return [...folders, ['promotion.yaml', '/promotion.yaml'] as const]
    .filter(([path]) => !owned(path))
    .map(([path, pattern]) => ({
      rule: 'code-owners',
      severity: 'error' as const,
      message: `nobody has to approve a change of ${path}`,
      fix: `Add a line with ${pattern} and its owners to ${file}.`,
      source: { file, line: 1 },
    }))
}

/** Whether a file has an owner. The last pattern that matches counts; one without owners removes them. */
function readOwners(content: string): (path: string) => boolean {
  const lines = content.split('\n').map((line) =>
    line
      .replace(/(?:^|\s)#.*$/, '')
      .trim()
      .split(/\s+/),
  )
  const entries = lines.flatMap(([pattern = '', ...owners]) =>
    pattern === '' ? [] : [{ matches: ownerPattern(pattern), isOwned: owners.length > 0 }],
  )
  return (path) => entries.findLast(({ matches }) => matches.test(path))?.isOwned === true
}

/** A pattern of CODEOWNERS, which is one of gitignore without `!` and `[]`. */
function ownerPattern(pattern: string): RegExp {
  const isAnchored = pattern.replace(/\/$/, '').includes('/')
  const body = pattern
    .replace(/^\//, '')
    .replace(/\/$/, '')
    .replace(/\*\*\/|\*\*|[*?]|[.+^$()|[\]{}\\]/g, (sign) =>
      sign === '**/' ? '(?:.*/)?' : sign === '**' ? '.*' : sign === '*' ? '[^/]*' : sign === '?' ? '[^/]' : `\\${sign}`,
    )
  return new RegExp(`^${isAnchored ? '' : '(?:.*/)?'}${body}${pattern.endsWith('/') ? '/' : '(?:/|$)'}`)
}

/** An address under which nothing is delivered: the Applications have another one, and the rules about them look at nothing. */
function unusedRepositories(
  root: string,
  environments: readonly Environment[],
  { delivery }: CheckConfig,
): RepositoryFinding[] {
  if (delivery.folders.length === 0) return []
  const used = new Set(
    environments.flatMap((one) => applicationsOf(one).flatMap(sourcesOf)).map(({ repository }) => repository),
  )
  return delivery.repositories
    .filter((address) => !used.has(address))
    .map((address) => {
      const file = ['check.yaml', 'platform.yaml'].find((name) => lineOf(root, name, address) > 0) ?? 'check.yaml'
      return {
        rule: 'delivery-repository',
        severity: 'error' as const,
        message: `no Application comes from ${address}, an address of this repository`,
        fix: `Write the address that the Applications in ${delivery.folders.join(', ')} have into ${file}, or remove it there.`,
        source: { file, line: Math.max(1, lineOf(root, file, address)) },
      }
    })
}

function lineOf(root: string, file: string, text: string): number {
  if (!existsSync(join(root, file))) return 0
  return (
    readFileSync(join(root, file), 'utf8')
      .split('\n')
      .findIndex((line) => line.includes(text)) + 1
  )
}

/**
 * What a reader should know that is wrong with nothing: it changes no exit code.
 * @param targets the names of what was checked
 */
export function noticesOf(root: string, targets: readonly string[], platform: Platform | undefined): string[] {
  const last = promotionOrder(root).at(-1)
  const left = platform === undefined ? [] : placeholders(platform)
  if (last === undefined || !targets.includes(last) || left.length === 0) return []
  const parts = new Set(left.map((key) => key.split('.')[0]))
  return [`${last} still has placeholder values (${[...parts].join(', ')}): run npm run init`]
}
