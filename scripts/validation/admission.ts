import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { UsageError } from '#cli/errors.ts'
import { home } from '#cli/paths.ts'
import type { Finding } from '#kubernetes/model/finding.ts'
import {
  at,
  type Fields,
  fields,
  items,
  type KubeObject,
  strings,
  text,
  type Value,
} from '#kubernetes/model/objects.ts'
import { toWorkload, type Workload } from '#kubernetes/model/workloads.ts'
import { findInstalled, tools } from '#system/tools.ts'
import { asFailure, type Candidate, finding, isPodSecurity, toFindings } from './admission-findings.ts'
import {
  type ApiServer,
  addressOf,
  definitionsServed,
  installDefinitions,
  type ServedKind,
  type ServerPrograms,
  withApiServer,
} from './api-server/server.ts'

interface AdmitOptions {
  /** Namespaces that exist in a cluster although no candidate contains them, such as those of the platform. */
  readonly namespaces?: readonly string[]
  /** Prints progress; to stderr by default. */
  readonly say?: (line: string) => void
}

/** The sentence to print when the programs of an API server are not on this machine; undefined when they are. */
export async function admissionProgramsMissing(): Promise<string | undefined> {
  const programs = await findPrograms()
  return typeof programs === 'string' ? programs : undefined
}

/** The programs of an API server, or the sentence that names the missing ones. */
export async function findPrograms(): Promise<ServerPrograms | string> {
  const apiserver = await findInstalled('kube-apiserver')
  const etcd = await findInstalled('etcd')
  if (apiserver !== undefined && etcd !== undefined) return { apiserver, etcd }
  const missing = [apiserver ?? 'kube-apiserver', etcd ?? 'etcd'].filter((name) => !name.includes('/'))
  return `Cannot validate with a real API server: ${missing.join(' and ')} of the pinned version ${missing.length > 1 ? 'are' : 'is'} not on this machine. Get them with: npm run tools -- ${missing.join(' ')}`
}

/**
 * Asks a real Kubernetes API server, started for the moment, to admit every object by a server-side dry run, and a pod of every pod template.
 * So the server's validation, the CEL rules of custom resources, Pod Security, LimitRanges, quotas and PriorityClasses are all applied as in a cluster;
 * what only webhooks or controllers check is not covered. Environments are admitted one after the other and do not see each other's objects.
 * @returns one finding of rule `admission` for every refusal or warning, in the server's words
 * @throws UsageError when the programs are missing or the server does not start
 */
export async function admit(candidates: readonly Candidate[], options: AdmitOptions = {}): Promise<Finding[]> {
  const programs = await findPrograms()
  if (typeof programs === 'string') throw new UsageError(programs)
  const { namespaces = [], say = (line) => process.stderr.write(`${line}\n`) } = options
  say(`Starting Kubernetes ${tools['kube-apiserver'].version} to ask it to admit every object…`)
  return withApiServer(programs, async (server) => {
    await installDefinitions(server, readDefinitions(join(home, 'schemas', 'crds'), candidates))
    for (const name of ['default', ...namespaces]) {
      await server.send('POST', '/api/v1/namespaces', { metadata: { name } })
      await addDefaultAccount(server, name)
    }
    const findings: Finding[] = []
    for (const candidate of candidates) {
      say(`  ${candidate.target}: ${candidate.objects.length} objects`)
      findings.push(...(await admitCandidate(server, candidate)))
    }
    return findings
  })
}

/** The committed definitions of the kinds that candidates use: the server needs most of its starting time for them. */
function readDefinitions(folder: string, candidates: readonly Candidate[]): Value[] {
  const used = new Set(candidates.flatMap(({ objects }) => objects.map(({ kind }) => kind)))
  const files = readdirSync(folder).filter((name) => name.endsWith('.json'))
  const definitions = files.map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Value)
  return definitions.filter((definition) => used.has(text(at(definition, 'spec', 'names', 'kind')) ?? ''))
}

/** A controller does this in a cluster; without it no pod is admitted. */
async function addDefaultAccount(server: ApiServer, namespace: string): Promise<void> {
  await server.send('POST', `/api/v1/namespaces/${namespace}/serviceaccounts`, { metadata: { name: 'default' } })
}

// Objects that the admission of others looks up, in the order in which they need each other. They are really created.
const prerequisites: readonly (readonly string[])[] = [
  ['CustomResourceDefinition', 'Namespace'],
  ['PriorityClass', 'RuntimeClass', 'StorageClass', 'ServiceAccount', 'LimitRange', 'ResourceQuota'],
]

async function admitCandidate(server: ApiServer, candidate: Candidate): Promise<Finding[]> {
  const findings = new Map<KubeObject, Finding[]>()
  const send = async (objects: readonly KubeObject[], kinds: Kinds, dryRun: boolean) => {
    await Promise.all(
      objects.map(async (object) => findings.set(object, await admitObject(server, candidate, object, kinds, dryRun))),
    )
  }
  let kinds = indexKinds(await server.kinds())
  for (const stage of prerequisites) {
    await send(
      candidate.objects.filter(({ kind }) => stage.includes(kind)),
      kinds,
      false,
    )
    await definitionsServed(server)
    kinds = indexKinds(await server.kinds())
  }
  await actAsControllers(server, candidate.objects)

  const created = prerequisites.flat()
  await send(
    candidate.objects.filter(({ kind }) => !created.includes(kind)),
    kinds,
    true,
  )
  await Promise.all(
    candidate.objects.map(async (object) => {
      const workload = toWorkload(object)
      const found = findings.get(object) ?? []
      // The pod of a refused workload would only be refused again, and a Pod has been sent as itself.
      if (workload === undefined || object.kind === 'Pod' || found.some(({ severity }) => severity === 'error')) return
      const ofPod = await admitPod(server, candidate, workload)
      // Pod Security warns about a template in the words in which it refuses the pod: once is enough.
      if (ofPod.length > 0) findings.set(object, [...found.filter(({ message }) => !isPodSecurity(message)), ...ofPod])
    }),
  )
  await removeCreated(server, candidate.objects, kinds)
  return candidate.objects.flatMap((object) => (findings.get(object) ?? []).map(asFailure))
}

type Kinds = ReadonlyMap<string, ServedKind>

function indexKinds(kinds: readonly ServedKind[]): Kinds {
  return new Map(kinds.map((kind) => [`${kind.apiVersion} ${kind.kind}`, kind]))
}

async function admitObject(
  server: ApiServer,
  candidate: Candidate,
  object: KubeObject,
  kinds: Kinds,
  dryRun: boolean,
): Promise<Finding[]> {
  const kind = kinds.get(`${object.apiVersion} ${object.kind}`)
  if (kind === undefined) return [unserved(candidate, object, kinds)]
  const address = addressOf(kind, object.namespace || 'default', object.name)
  const query = `fieldManager=inference-platform&force=true&fieldValidation=Strict${dryRun ? '&dryRun=All' : ''}`
  const reply = await server.send('PATCH', `${address}?${query}`, object.raw, 'application/apply-patch+yaml')
  return toFindings(reply, candidate, object, [])
}

function unserved(candidate: Candidate, object: KubeObject, kinds: Kinds): Finding {
  const others = [...kinds.values()].filter(({ kind }) => kind === object.kind).map(({ apiVersion }) => apiVersion)
  const hint = others.length > 0 ? `; it serves ${object.kind} of ${others.join(', ')}` : ''
  const message = `the API server serves no ${object.kind} of ${object.apiVersion}${hint}`
  const fix = 'Correct the kind or apiVersion, or add its CustomResourceDefinition to `npm run generate:schemas`.'
  return { ...finding(candidate, object, 'error', ['apiVersion'], message), fix }
}

/**
 * What controllers would have done by the time pods are created: a default service account in each namespace, and a quota
 * whose use is counted. The quota counts nothing, so each pod is admitted as if it were the first.
 */
async function actAsControllers(server: ApiServer, objects: readonly KubeObject[]): Promise<void> {
  for (const { kind, name, namespace, raw } of objects) {
    if (kind === 'Namespace') await addDefaultAccount(server, name)
    if (kind === 'ResourceQuota') {
      const hard = fields(at(raw, 'spec', 'hard'))
      const used = Object.fromEntries(Object.keys(hard).map((resource) => [resource, '0']))
      const address = `/api/v1/namespaces/${namespace || 'default'}/resourcequotas/${name}/status`
      await server.send('PATCH', address, { status: { hard, used } }, 'application/merge-patch+json')
    }
  }
  // Admission reads what was created from caches that follow within milliseconds, without a signal when they do.
  await pause(300)
}

/** The errors of admission while its caches do not yet hold a PriorityClass or the use of a quota. */
const notYetSeen = /no PriorityClass with name|status unknown for quota/

async function admitPod(server: ApiServer, candidate: Candidate, workload: Workload): Promise<Finding[]> {
  const { object, podPath } = workload
  const address = `/api/v1/namespaces/${object.namespace || 'default'}/pods?dryRun=All&fieldValidation=Strict`
  for (let attempt = 0; ; attempt++) {
    const reply = await server.send('POST', address, podOf(workload))
    const message = text(at(reply.body, 'message')) ?? ''
    if (reply.status < 400 || attempt === 20 || !notYetSeen.test(message)) {
      return toFindings(reply, candidate, object, podPath.slice(0, -1))
    }
    await pause(100)
  }
}

/** The pod that a controller would create from the template; a StatefulSet's claims become volumes. */
function podOf({ object, podPath, pod, labels }: Workload): Fields {
  const claims = items(at(object.raw, 'spec', 'volumeClaimTemplates')).map((claim) => {
    const name = text(at(claim, 'metadata', 'name'))
    return { name, persistentVolumeClaim: { claimName: `${name}-${object.name}-0` } }
  })
  const annotations = strings(at(object.raw, ...podPath.slice(0, -1), 'metadata', 'annotations'))
  const metadata = { name: object.name, namespace: object.namespace || 'default', labels, annotations }
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata,
    spec: { ...fields(pod), volumes: [...items(at(pod, 'volumes')), ...claims] },
  }
}

/** Removes what was created for real, so that the next environment is admitted by its own objects. Namespaces stay: nothing would end their deletion. */
async function removeCreated(server: ApiServer, objects: readonly KubeObject[], kinds: Kinds): Promise<void> {
  const made = objects.filter(({ kind }) => prerequisites[1]?.includes(kind))
  await Promise.all(
    made.map(async (object) => {
      const kind = kinds.get(`${object.apiVersion} ${object.kind}`)
      if (kind) await server.send('DELETE', addressOf(kind, object.namespace || 'default', object.name))
    }),
  )
}
