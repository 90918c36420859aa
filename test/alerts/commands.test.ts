import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { root } from '#cli/paths.ts'
import { at, fields, items, text, type Value } from '#kubernetes/model/objects.ts'
import { eachParallel } from '#system/process.ts'
import { findInstalled } from '#system/tools.ts'
import { findPrograms } from '#validation/admission.ts'
import { withApiServer } from '#validation/api-server/server.ts'
import { words } from '../support/shell.ts'
import { renderedRules, targets } from './rules.ts'

// The commands of the runbooks, asked of a real kubectl and a real API server that holds the objects of prod. Its pods run on no node,
// so what needs one ends where the API server would ask the node: object, container and options are valid by then.

const programs = await findPrograms()
const kubectl = await findInstalled('kubectl')
const missing =
  typeof programs === 'string' ? programs : kubectl === undefined ? 'kubectl is missing: npm run tools -- kubectl' : ''
if (missing !== '') {
  process.stderr.write(`\ntest/alerts/commands.test.ts DOES NOT RUN. ${missing}\n\n`)
  if (process.env.GITHUB_ACTIONS) throw new Error(missing)
}

/** Every kubectl command of the pages for people on call, as a line of a code block or within text, with the pages that have it. */
const commands = new Map<string, string[]>()
for (const page of [
  ...readdirSync(join(root, 'docs/runbooks')).map((file) => `runbooks/${file}`),
  'troubleshooting.md',
]) {
  const content = readFileSync(join(root, 'docs', page), 'utf8')
  const found = [...content.matchAll(/^(?: {4})?(kubectl .+)$/gm), ...content.matchAll(/`(kubectl [^`]+)`/g)]
  for (const [, command = ''] of found) commands.set(command, [...(commands.get(command) ?? []), page])
}

/** What the platform's own bases install, as far as a page names it. */
const platform = [
  { namespace: 'argocd', kind: 'StatefulSet', name: 'argocd-application-controller' },
  { namespace: 'keda', kind: 'Deployment', name: 'keda-operator' },
]
const namespaces = ['inference-prod', 'argocd', 'keda', 'monitoring', 'gpu-operator']

describe.skipIf(missing !== '')('the commands of the runbooks', () => {
  const folder = mkdtempSync(join(tmpdir(), 'commands-'))
  let ask: (args: readonly string[]) => Promise<{ code: number; output: string }>
  let done: () => void
  let stopped: Promise<unknown>

  beforeAll(async () => {
    if (typeof programs === 'string' || kubectl === undefined) return
    const prod = targets.find(({ name }) => name === 'prod')
    if (prod === undefined) throw new Error('there is no prod')
    const { objects } = await renderedRules(prod)
    await new Promise<void>((ready, failed) => {
      stopped = withApiServer(programs, async ({ kubeconfig }) => {
        ask = (args) => run(kubectl, [`--kubeconfig=${kubeconfig}`, ...args])
        await fill(objects)
        ready()
        await new Promise<void>((end) => {
          done = end
        })
      }).catch(failed)
    })
  }, 180_000)
  afterAll(async () => {
    done?.()
    await stopped
    rmSync(folder, { recursive: true, force: true })
  })

  async function apply(name: string, objects: readonly Value[]): Promise<void> {
    const file = join(folder, `${name}.json`)
    writeFileSync(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }))
    const { code, output } = await ask(['apply', '--server-side', `--filename=${file}`])
    if (code !== 0) throw new Error(output)
  }

  /** Definitions, namespaces, the objects of prod, and the pods that controllers would make of them. A quota knows its use only from its controller. */
  async function fill(objects: readonly Value[]): Promise<void> {
    const used = new Set(objects.map((object) => String(at(object, 'kind'))))
    const definitions = readdirSync(join(root, 'schemas/crds')).map(
      (file) => JSON.parse(readFileSync(join(root, 'schemas/crds', file), 'utf8')) as Value,
    )
    const wanted = [...used, 'Application']
    await apply(
      'definitions',
      definitions.filter((definition) => wanted.includes(text(at(definition, 'spec', 'names', 'kind')) ?? '')),
    )
    await ask(['wait', '--for=condition=Established', '--timeout=60s', 'crd', '--all'])
    const made = namespaces.map((name) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } }))
    const accounts = namespaces.map((namespace) => ({
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'default', namespace },
    }))
    await apply('namespaces', [...made, ...accounts])
    const last = ['Namespace', 'ResourceQuota']
    const whole = [...objects, ...objects.flatMap(secretOf), ...platform.map(standIn)]
    await apply(
      'objects',
      whole.filter((object) => !last.includes(String(at(object, 'kind')))),
    )
    // As the server completed them: a Job's pods carry its uid.
    const { output } = await ask(['get', 'deployments,statefulsets,jobs,cronjobs', '--all-namespaces', '--output=json'])
    await apply('pods', items(at(JSON.parse(output), 'items')).flatMap(podsOf))
    await apply(
      'quotas',
      objects.filter((object) => at(object, 'kind') === 'ResourceQuota'),
    )
  }

  it('are understood, and name what is there', { timeout: 180_000 }, async () => {
    const faults = eachParallel([...commands], async ([command, pages]) => {
      const fault = await faultOf(words(command).slice(1))
      return fault === undefined ? [] : [`${command} (${pages.join(', ')}): ${fault}`]
    })
    expect((await Promise.all(faults)).flat()).toEqual([])
  })

  /** What is wrong with the arguments of a kubectl command; undefined when it gets as far as it can without a node. */
  async function faultOf(args: readonly string[]): Promise<string | undefined> {
    const { code, output } = await ask(args)
    const verb = args.find((argument, index) => !argument.startsWith('-') && args[index - 1] !== '--namespace')
    const nodeNeeded = { exec: /does not have a host assigned/, top: /Metrics API not available/ }[verb ?? '']
    if (nodeNeeded !== undefined) return nodeNeeded.test(output) ? undefined : output
    if (code !== 0) return output
    const selects = args.some((argument) => argument.startsWith('--selector=app.kubernetes.io'))
    return selects && output.includes('No resources found') ? output : undefined
  }

  it('that are wrong are found', async () => {
    const output = async (command: string) => (await ask(words(command))).output
    expect(await output('--namespace inference-prod logs deployment/gatway')).toMatch(/not found/)
    expect(await output('--namespace inference-prod logs statefulset/ollama --container=keeper')).toMatch(
      /container keeper is not valid/,
    )
    expect(await output('--namespace inference-prod get pods --sortby=.x')).toMatch(/unknown flag/)
    expect(await output('--namespace inference-prod get deployment gatway')).toMatch(/not found/)
  })
})

function run(program: string, args: readonly string[]): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    execFile(program, args, { timeout: 25_000 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), output: `${stdout}${stderr}` })
    })
  })
}

/** A pod of a workload, as its controller would make it, but for the volumes that need a claim. */
function podsOf(workload: Value): Value[] {
  const kind = String(at(workload, 'kind'))
  const template =
    kind === 'CronJob' ? at(workload, 'spec', 'jobTemplate', 'spec', 'template') : at(workload, 'spec', 'template')
  if (!['Deployment', 'StatefulSet', 'Job', 'CronJob'].includes(kind)) return []
  const name = text(at(workload, 'metadata', 'name')) ?? ''
  const spec = fields(at(template, 'spec'))
  const claims = items(at(workload, 'spec', 'volumeClaimTemplates')).map((claim) => ({
    name: at(claim, 'metadata', 'name'),
    persistentVolumeClaim: { claimName: `${at(claim, 'metadata', 'name')}-${name}-0` },
  }))
  return [
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: `${name}-0`,
        namespace: at(workload, 'metadata', 'namespace'),
        labels: fields(at(template, 'metadata', 'labels')),
      },
      spec: { ...spec, volumes: [...items(spec.volumes), ...claims] },
    },
  ]
}

/** What External Secrets makes of an ExternalSecret. */
function secretOf(object: Value): Value[] {
  if (at(object, 'kind') !== 'ExternalSecret') return []
  const metadata = { name: at(object, 'metadata', 'name'), namespace: at(object, 'metadata', 'namespace') }
  return [{ apiVersion: 'v1', kind: 'Secret', metadata }]
}

function standIn({ namespace, kind, name }: (typeof platform)[number]): Value {
  const labels = { app: name }
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: { name, namespace },
    spec: {
      ...(kind === 'StatefulSet' && { serviceName: name }),
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name, image: name }] } },
    },
  }
}
