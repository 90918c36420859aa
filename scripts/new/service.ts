import { UsageError } from '#cli/errors.ts'
import { at, fields, type Value } from '#kubernetes/model/objects.ts'
import { environments } from '#manifests/kustomize.ts'
import { readPlatform } from '#platform/platform-file.ts'
import { type Changes, checkName, insertAfter } from './changes.ts'
import { configSource, mainSource, metricsSource, packageSource } from './service-source.ts'

/** The service whose manifests a new one is made from. */
const model = 'collector'

/**
 * Adds a service that consumes a queue of its own, `ai-NAME`: source, manifests, policies, queue and broker user, image, metrics and credentials.
 * @throws UsageError for a name that cannot be used, and where a file has no place for it
 */
export async function newService(root: string, changes: Changes, wanted: string | undefined): Promise<void> {
  const name = checkName(wanted, 'a service')
  if (name.includes('-'))
    throw new UsageError(`"${name}" has a -; expected one word, which is also a key of versions.yaml`)
  const registry = (await readPlatform(root))?.registry
  if (registry === undefined)
    throw new UsageError('there is no platform.yaml; expected the registry of the images in it')
  addSource(changes, name)
  addManifests(changes, name)
  addPolicies(changes, name)
  addImage(
    changes,
    name,
    `${registry}/inference-${name}:0.1.0`,
    environments(root).map((one) => one.name),
  )
  addBroker(changes, name)
  addCredentials(changes, name)
  addMetrics(changes, name)
  addToTooling(changes, name)
}

const named = (content: string, name: string) => content.replaceAll(model, name)

function addSource(changes: Changes, name: string): void {
  changes.create(`apps/${name}/package.json`, packageSource(name))
  changes.create(`apps/${name}/src/config.ts`, configSource())
  changes.create(`apps/${name}/src/metrics.ts`, metricsSource(name))
  changes.create(`apps/${name}/src/main.ts`, mainSource(name))
  lockPackage(changes, name)
}

/** What `npm install` would write about a package of the workspace. */
function lockPackage(changes: Changes, name: string): void {
  const lock = JSON.parse(changes.read('package-lock.json')) as { packages: Record<string, unknown> }
  const { version, license, dependencies } = JSON.parse(packageSource(name)) as Record<string, unknown>
  const added: [string, unknown][] = [
    [`apps/${name}`, { name: `@inference/${name}`, version, license, dependencies }],
    [`node_modules/@inference/${name}`, { resolved: `apps/${name}`, link: true }],
  ]
  const packages = Object.fromEntries(
    [...Object.entries(lock.packages), ...added].sort(([one], [other]) => one.localeCompare(other, 'en')),
  )
  changes.edit('package-lock.json', name, () => `${JSON.stringify({ ...lock, packages }, undefined, 2)}\n`)
}

function addManifests(changes: Changes, name: string): void {
  const from = (file: string) => named(changes.read(`base/${model}/${file}`), name)
  const create = (file: string, content: string) => changes.create(`base/${name}/${file}`, content)
  create('service-account.yaml', from('service-account.yaml'))
  create('pod-disruption-budget.yaml', from('pod-disruption-budget.yaml'))
  create(
    'kustomization.yaml',
    from('kustomization.yaml')
      .replace(/^#.*\n/, `# Describe what it does with the messages of ai-${name}.\n`)
      .replace(/component: \w+/, `component: ${name}`),
  )
  create(
    'deployment.yaml',
    from('deployment.yaml')
      .replace(/^ +- key: (?:redis|postgres)-password\n +path: .*\n/gm, '')
      .replace('# It consumes from the broker, and Postgres answers.', '# It consumes from the broker.'),
  )
  create(`${name}.env`, from(`${model}.env`).replace(/^(?:REDIS|POSTGRES|BATCH)_.*\n/gm, ''))
  changes.edit('base/kustomization.yaml', name, (content) =>
    insertAfter(content, new RegExp(`^ +- ${model}\\n`, 'm'), `  - ${name}\n`),
  )
}

function addPolicies(changes: Changes, name: string): void {
  for (const policy of [`${model}-from-prometheus`, `${model}-to-rabbitmq`, `rabbitmq-from-${model}`]) {
    changes.create(`base/network/${named(policy, name)}.yaml`, named(changes.read(`base/network/${policy}.yaml`), name))
    changes.edit('base/network/kustomization.yaml', policy, (content) =>
      insertAfter(content, new RegExp(`^ +- ${policy}\\.yaml\\n`, 'm'), `  - ${named(policy, name)}.yaml\n`),
    )
  }
}

/** The image in versions.yaml, in its schema, and in the list that copies it into the manifests. */
function addImage(changes: Changes, name: string, image: string, names: readonly string[]): void {
  for (const environment of names)
    changes.edit(`overlays/${environment}/versions.yaml`, `the image of ${name}`, (content) =>
      insertAfter(content, new RegExp(`^ {4}${model}: .*\\n`, 'm'), `    ${name}: ${image}\n`),
    )
  changes.edit('overlays/versions.schema.json', `the image of ${name}`, (content) => {
    const required = content.replace(
      new RegExp(`^( +)"${model}",\\n`, 'm'),
      (line, indent) => `${line}${indent}"${name}",\n`,
    )
    return required.replace(
      new RegExp(`^( +)"${model}": \\{[^}]*\\},?\\n`, 'm'),
      (block, indent) =>
        `${block}${indent}"${name}": { "$ref": "#/$defs/image", "description": "The service ${name}." },\n`,
    )
  })
  changes.edit('components/versions/images.yaml', `the image of ${name}`, (content) => {
    const blocks = content.split(/^(?=- source:)/m)
    const position = blocks.findIndex((block) => block.includes(`fieldPath: spec.images.${model}\n`))
    if (position < 0) return content
    blocks.splice(position + 1, 0, named(firstTarget(blocks[position] ?? ''), name))
    return blocks.join('')
  })
}

/** A replacement with its first target alone: the Deployment. */
function firstTarget(block: string): string {
  return block
    .split(/^(?= {4}- select:)/m)
    .slice(0, 2)
    .join('')
}

/** Its queue with dead letters, and the user that may read it. */
function addBroker(changes: Changes, name: string): void {
  const queue = `ai-${name}`
  changes.edit('base/rabbitmq/topology.json', `the queue ${queue}`, (content) => {
    const topology = JSON.parse(content) as { queues: Value[]; policies: Value[] }
    const like = (list: readonly Value[], suffix = '') =>
      list
        .filter((entry) => at(entry, 'name') === `ai-responses${suffix}`)
        .map((entry) => JSON.parse(JSON.stringify(entry).replaceAll('ai-responses', queue)) as Value)
    const { queues, policies } = topology
    const moved = policies.map((policy) => {
      const pattern = String(at(policy, 'pattern')).replace(/\)\\\.dead\$$/, `|${name})\\.dead$`)
      return { ...fields(policy), pattern }
    })
    const added = {
      queues: [...queues, ...like(queues), ...like(queues, '.dead')],
      policies: [...like(policies), ...moved],
    }
    return `${JSON.stringify({ ...topology, ...added }, undefined, 2).replace(/\{\n\s+("x-queue-type": "quorum")\n\s+\}/g, '{ $1 }')}\n`
  })
  changes.edit('components/external-secrets/rabbitmq-users.tmpl', `the user ${name}`, (content) =>
    content.replace(
      new RegExp(`^.*"(?:name|user)": "${model}".*\\n`, 'gm'),
      (line) => line + named(line, name).replace('ai-responses', queue),
    ),
  )
  changes.edit('apps/common/src/messages.ts', `the queue ${queue}`, (content) =>
    content.replace(/(export const queues = \{[^}]*?),? \} as const/, `$1, ${name}: '${queue}' } as const`),
  )
}

function addCredentials(changes: Changes, name: string): void {
  const folder = 'components/external-secrets'
  const own = named(changes.read(`${folder}/${model}-credentials.yaml`), name)
  changes.create(
    `${folder}/${name}-credentials.yaml`,
    own.replace(/^ {4}- secretKey: (?:redis|postgres)-password\n(?: {6}.*\n)+/gm, ''),
  )
  changes.edit(`${folder}/kustomization.yaml`, `the Secret of ${name}`, (content) =>
    insertAfter(
      content,
      new RegExp(`^ +- ${model}-credentials\\.yaml\\n`, 'm'),
      `  - ${name}-credentials.yaml\n`,
    ).replace(new RegExp(`^(# +rabbitmq +.*\\b${model}\\b)`, 'm'), `$1 ${name}`),
  )
  changes.edit(`${folder}/rabbitmq-credentials.yaml`, `the password of ${name}`, (content) =>
    content.replace(
      new RegExp(`^ {4}- secretKey: ${model}\\n(?: {6}.*\\n)+`, 'm'),
      (block) => block + named(block, name),
    ),
  )
  changes.edit('check.yaml', `the Secret of ${name}`, (content) =>
    content.replace(
      new RegExp(`^ {2}- kind: Secret\\n {4}name: ${model}-credentials\\n(?: {4}.*\\n)+`, 'm'),
      (block) => block + named(block, name).replace(/keys: \[.*\]/, 'keys: [rabbitmq-password]'),
    ),
  )
}

function addMetrics(changes: Changes, name: string): void {
  const monitor = `base/monitoring/pod-monitor-${model}.yaml`
  changes.create(named(monitor, name), named(changes.read(monitor), name))
  changes.edit('base/monitoring/kustomization.yaml', `the monitor of ${name}`, (content) =>
    insertAfter(content, new RegExp(`^ +- pod-monitor-${model}\\.yaml\\n`, 'm'), `  - pod-monitor-${name}.yaml\n`),
  )
  const list = fields(JSON.parse(named(changes.read(`schemas/metrics/${model}.json`), name)))
  const common = (part: string) =>
    Object.entries(fields(list[part])).filter(([metric]) => !metric.startsWith(`${name}_`))
  const own = [[`${name}_handled_total`, 'counter']]
  const metrics = Object.fromEntries(
    [...own, ...common('metrics')].sort(([one], [other]) => (String(one) < String(other) ? -1 : 1)),
  )
  const labels = Object.fromEntries(common('labels'))
  changes.create(`schemas/metrics/${name}.json`, `${JSON.stringify({ ...list, metrics, labels }, undefined, 2)}\n`)
  const create = `create${capital(name)}Metrics`
  changes.edit('test/alerts/metrics.test.ts', `the metrics of ${name}`, (content) =>
    content
      .replace(
        /^import \{ createCollectorMetrics \}.*\n/m,
        (line) => `${line}import { ${create} } from '../../apps/${name}/src/metrics.ts'\n`,
      )
      .replace(
        /^( +)collector: \(registry: Registry\).*\n/m,
        (line, indent) => `${line}${indent}${name}: (registry: Registry) => ${create}(registry),\n`,
      ),
  )
}

/** The lists of services in the tooling. */
function addToTooling(changes: Changes, name: string): void {
  changes.edit('scripts/platform/programs.ts', `the programs of ${name}`, (content) =>
    content
      .replace(new RegExp(`^import \\* as ${model} .*\\n`, 'm'), (line) => line + named(line, name))
      .replace(new RegExp(`^  ${model}: ${model}\\.programs,\\n`, 'm'), (line) => line + named(line, name)),
  )
  changes.edit('scripts/cluster/images.ts', name, (content) =>
    content.replace(`'${model}'] as const`, `'${model}', '${name}'] as const`),
  )
  changes.edit('test/support/containers.ts', `the user ${name} of the broker`, (content) =>
    content
      .replace(`, user('${model}')`, (users) => users + named(users, name))
      .replace(
        new RegExp(`^ +permission\\('${model}'.*\\n`, 'm'),
        (line) => line + named(line, name).replace('ai-responses', `ai-${name}`),
      ),
  )
  changes.edit('.github/workflows/release.yaml', name, (content) =>
    content.replace(/^( +service: \[[^\]]*)\]/m, `$1, ${name}]`),
  )
  changes.edit('base/README.md', name, (content) =>
    insertAfter(
      content,
      new RegExp(`^\\| \\[\`${model}\`\\].*\\n`, 'm'),
      `| [\`${name}\`](${name}) | handles the messages of \`ai-${name}\` | what it does changes |\n`,
    ),
  )
  changes.edit('docs/architecture.md', name, (content) =>
    content
      .replace(
        /^\| collector \| `dist\/main\.js` .*\n/m,
        (row) => `${row}| ${name} | \`dist/main.js\` | the ${name} |\n`,
      )
      .replace(
        /^\| `collector-credentials` .*\n/m,
        (row) => `${row}| \`${name}-credentials\` | \`rabbitmq-password\` | ${name} |\n`,
      ),
  )
}

function capital(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1)
}
