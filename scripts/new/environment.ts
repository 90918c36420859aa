import { UsageError } from '#cli/errors.ts'
import { promotionOrder } from '#manifests/kustomize.ts'
import { type Platform, parsePlatform, platformFaults, platformFile, readPlatform } from '#platform/platform-file.ts'
import { git } from '#system/git.ts'
import { type Changes, checkName, insertAfter } from './changes.ts'

interface Names {
  readonly name: string
  readonly like: string
  /** After which environment of the order the new one comes. */
  readonly previous: string
}

/**
 * Adds an environment that is like another one: its overlay, its place in the order of promotion, its Application, project, owners and host.
 * @param host its host name; by default that of the other with its own name in it
 * @throws UsageError for names that cannot be used, and where a file has no place for it
 */
export async function newEnvironment(
  root: string,
  changes: Changes,
  wanted: string | undefined,
  like: string | undefined,
  host?: string,
): Promise<void> {
  const name = checkName(wanted, 'an environment')
  const order = promotionOrder(root)
  if (like === undefined || !order.includes(like))
    throw new UsageError(
      `--like names ${like ?? 'nothing'}; expected an environment of promotion.yaml: ${order.join(', ')}`,
    )
  if (changes.has(`overlays/${name}/kustomization.yaml`))
    throw new UsageError(`the environment ${name} is there already`)
  const platform = await readPlatform(root)
  if (platform === undefined)
    throw new UsageError(`there is no ${platformFile}; expected the hosts of the environments in it`)
  // Nothing comes after the last environment, and nothing before the first.
  const previous = order.indexOf(like) === order.length - 1 ? (order.at(-2) ?? like) : like
  const names = { name, like, previous }
  const hostName = host ?? hostLike(platform, names)
  await copyOverlay(root, changes, names, platform.hosts[like], hostName)
  addHost(changes, names, await checkedHost(platform, name, hostName))
  register(changes, names)
  addOwners(changes, names, platform)
  addApplication(changes, names)
}

function hostLike(platform: Platform, { name, like }: Names): string {
  const host = platform.hosts[like] ?? ''
  const [first = '', ...rest] = host.split('.')
  const whole = new RegExp(`\\b${like}\\b`)
  return whole.test(host) ? host.replace(whole, name) : [first, name, ...rest].join('.')
}

async function checkedHost(platform: Platform, name: string, host: string): Promise<string> {
  const [twin] = Object.entries(platform.hosts).find(([, value]) => value === host) ?? []
  if (twin !== undefined) throw new UsageError(`${host} is the host of ${twin}; expected a host of its own (--host)`)
  const faults = await platformFaults({ ...platform, hosts: { ...platform.hosts, [name]: host } })
  if (faults.length > 0) throw new UsageError(faults.join('\n'))
  return host
}

/** Copies the overlay; whatever names the other environment, its namespace or its host names the new one. */
async function copyOverlay(
  root: string,
  changes: Changes,
  names: Names,
  oldHost: string | undefined,
  host: string,
): Promise<void> {
  const files = (await git(root, 'ls-files', '--', `overlays/${names.like}`)).split('\n').filter(Boolean)
  if (files.length === 0)
    throw new UsageError(`git knows no file of overlays/${names.like}; expected an overlay that is committed or added`)
  for (const file of files) {
    const content = changes.read(file)
    const moved = oldHost === undefined ? content : content.replaceAll(oldHost, '\0')
    const target = renamed(file, names)
    changes.create(target, firstComment(renamed(moved, names), target, names).replaceAll('\0', host))
  }
}

/** The comment at the top says what the other environment is for. */
function firstComment(content: string, file: string, { name, like }: Names): string {
  if (file !== `overlays/${name}/kustomization.yaml`) return content
  return `# ${name}, created like ${like}. Describe what it is for.\n${content.replace(/^(?:#.*\n)+/, '')}`
}

function renamed(content: string, { name, like }: Names): string {
  return content.replace(new RegExp(`(?<![A-Za-z0-9])${like}(?![A-Za-z0-9])`, 'g'), name)
}

function addHost(changes: Changes, { name, previous }: Names, host: string): void {
  changes.edit(platformFile, `the host of ${name}`, (content) => {
    const added = insertAfter(content, new RegExp(`^ {2}${previous}: .*\\n`, 'm'), `  ${name}: ${host}\n`)
    parsePlatform(added)
    return added
  })
}

/** The lists of environments. */
function register(changes: Changes, { name, like, previous }: Names): void {
  const inList = (content: string, after: string) =>
    content.replace(new RegExp(`(\\[[^\\]\\n]*\\b${after}\\b)(?=[,\\]])`, 'g'), `$1, ${name}`)
  changes.edit('promotion.yaml', `${name} in the order`, (content) =>
    content
      .replace(/^order: .*$/m, (line) => inList(line, previous))
      .replace(new RegExp(`^soakHours:\\n(?: {2}${previous}: .*\\n)?`, 'm'), (lines) => `${lines}  ${name}: 0\n`),
  )
  const config = changes.read('check.yaml')
  if (inList(config, like) !== config)
    changes.edit('check.yaml', `${name} beside ${like}`, (content) => inList(content, like))
  changes.edit('renovate.json', `overlays/${name} in ignorePaths`, (content) =>
    content.replace(/("ignorePaths": \[[^\]]*"schemas\/\*\*")/, `$1, "overlays/${name}/**"`),
  )
}

function addOwners(changes: Changes, { name, like, previous }: Names, { owners }: Platform): void {
  const file = '.github/CODEOWNERS'
  if (!changes.has(file)) return
  changes.edit(file, `the owners of ${name}`, (content) => {
    const own =
      new RegExp(`^/overlays/${like}/ +(.*)$`, 'm').exec(content)?.[1] ?? `${owners.operators} ${owners.developers}`
    const line = `${`/overlays/${name}/`.padEnd(20)} ${own}\n`
    const after = insertAfter(content, new RegExp(`^/overlays/(?:${like}|${previous})/.*\\n`, 'm'), line)
    return after === content ? `${content}${line}` : after
  })
}

/** Its Application, of both ways to make it, and the project that holds it. */
function addApplication(changes: Changes, names: Names): void {
  const { name, like, previous } = names
  const set = 'argocd/environments/application-set.yaml'
  const automated = new RegExp(`- environment: ${like}\\n +automated: (\\w+)`).exec(changes.read(set))?.[1] ?? 'true'
  changes.edit(set, `the element ${name}`, (content) =>
    insertAfter(
      content,
      new RegExp(`^ +- environment: ${previous}\\n +automated: \\w+\\n`, 'm'),
      `          - environment: ${name}\n            automated: ${automated}\n`,
    ),
  )
  changes.edit('argocd/clusters/application-set.yaml', `the clusters of ${name}`, (content) =>
    content.replace(new RegExp(`(values: \\[[^\\]\\n]*\\b${like}\\b)`), `$1, ${name}`),
  )
  changes.create(
    `argocd/projects/inference-${name}.yaml`,
    renamed(changes.read(`argocd/projects/inference-${like}.yaml`), names),
  )
  changes.edit('argocd/projects/kustomization.yaml', `the project of ${name}`, (content) =>
    insertAfter(content, new RegExp(`^ +- inference-${previous}\\.yaml\\n`, 'm'), `  - inference-${name}.yaml\n`),
  )
}
