import { describe, expect, it } from 'vitest'
import { diagnose } from '#cluster/diagnose.ts'
import type { Snapshot } from '#cluster/snapshot.ts'
import { type KubeObject, toObject } from '#kubernetes/model/objects.ts'

const kinds: Record<string, keyof Snapshot> = {
  Application: 'applications',
  Deployment: 'deployments',
  Event: 'events',
  HorizontalPodAutoscaler: 'scalers',
  Job: 'jobs',
  Node: 'nodes',
  PersistentVolumeClaim: 'claims',
  Pod: 'pods',
  ReplicaSet: 'replicaSets',
  ScaledObject: 'scaledObjects',
  Service: 'services',
}

const creationTimestamp = '2026-01-01T00:00:00Z'

/** An object of namespace `app`, named after its kind by default, as an API server returns it. */
function object(kind: string, content: object, metadata: object = {}): KubeObject {
  const identity = { name: kind.toLowerCase(), namespace: 'app', uid: `${kind}-uid`, creationTimestamp, ...metadata }
  const made = toObject({ apiVersion: 'v1', kind, metadata: identity, ...content })
  if (made === undefined) throw new Error(`${kind} is not an object`)
  return made
}

function event(about: KubeObject, reason: string, message: string, lastTimestamp = creationTimestamp): KubeObject {
  return object('Event', {
    involvedObject: { uid: (about.raw.metadata as { uid: string }).uid },
    reason,
    message,
    lastTimestamp,
  })
}

function snapshot(...objects: KubeObject[]): Snapshot {
  const empty = ['statefulSets', ...Object.values(kinds)]
  const lists = Object.fromEntries(empty.map((list) => [list, [] as KubeObject[]]))
  for (const one of objects) lists[kinds[one.kind] ?? '']?.push(one)
  return lists as unknown as Snapshot
}

const pod = (status: object, spec: object = {}) => object('Pod', { spec, status })
const container = (status: object) =>
  pod({ phase: 'Running', containerStatuses: [{ name: 'main', image: 'x:1', ready: false, ...status }] })
const waiting = (reason: string, message = '') => container({ state: { waiting: { reason, message } } })
const unscheduled = (message: string) =>
  pod({ phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', message }] })
const condition = (kind: string, type: string, status: string, message: string) =>
  object(kind, { status: { conditions: [{ type, status, message }] } })

const replicaSet = object('ReplicaSet', { spec: { replicas: 2 }, status: { replicas: 0 } })
const creating = waiting('ContainerCreating')
const running = container({ state: { running: { startedAt: creationTimestamp } } })

/** What the doctor has to report, by a word of what is wrong and one of what to do. */
const cases: [string, Snapshot, RegExp, RegExp][] = [
  [
    'an image that cannot be pulled',
    snapshot(waiting('ImagePullBackOff', 'not found')),
    /cannot get its image x:1/,
    /pushed/,
  ],
  [
    'a missing Secret of a variable',
    snapshot(waiting('CreateContainerConfigError', 'secret "db" not found')),
    /secret "db" not found/,
    /npm run secrets/,
  ],
  [
    'a missing Secret of a volume',
    snapshot(creating, event(creating, 'FailedMount', 'MountVolume.SetUp failed: secret "db" not found')),
    /secret "db" not found/,
    /npm run secrets/,
  ],
  [
    'a missing key of a ConfigMap',
    snapshot(waiting('CreateContainerConfigError', "couldn't find key a in ConfigMap app/c")),
    /key a in ConfigMap/,
    /ConfigMap, or its key/,
  ],
  [
    'a crash',
    snapshot(
      container({
        restartCount: 4,
        state: { waiting: { reason: 'CrashLoopBackOff' } },
        lastState: { terminated: { exitCode: 3, reason: 'Error' } },
      }),
    ),
    /exit code 3 \(Error\), 4 restarts/,
    /last log lines/,
  ],
  [
    'too little memory',
    snapshot(
      container({
        restartCount: 4,
        state: { waiting: { reason: 'CrashLoopBackOff' } },
        lastState: { terminated: { exitCode: 137, reason: 'OOMKilled' } },
      }),
    ),
    /more memory than its limit/,
    /limits\.memory/,
  ],
  [
    'a probe that fails',
    snapshot(running, event(running, 'Unhealthy', 'Readiness probe failed: HTTP 503')),
    /Readiness probe failed: HTTP 503/,
    /no traffic/,
  ],
  [
    'no GPU',
    snapshot(unscheduled('0/1 nodes are available: 1 Insufficient nvidia.com/gpu.')),
    /not scheduled/,
    /nvidia\.com\/gpu, of which no node has enough/,
  ],
  [
    'full nodes',
    snapshot(unscheduled('0/1 nodes are available: 1 Insufficient memory.')),
    /Insufficient memory/,
    /nodes are full/,
  ],
  [
    'no node with the labels',
    snapshot(unscheduled("0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.")),
    /affinity/,
    /labels/,
  ],
  [
    'a taint',
    snapshot(unscheduled('0/1 nodes are available: 1 node(s) had untolerated taint {gpu: true}.')),
    /taint/,
    /tolerate/,
  ],
  [
    'a quota',
    snapshot(replicaSet, event(replicaSet, 'FailedCreate', 'pods "x" is forbidden: exceeded quota: environment')),
    /exceeded quota/,
    /ResourceQuota/,
  ],
  [
    'Pod Security',
    snapshot(replicaSet, event(replicaSet, 'FailedCreate', 'pods "x" is forbidden: violates PodSecurity "restricted"')),
    /violates PodSecurity/,
    /securityContext/,
  ],
  [
    'an admission policy',
    snapshot(replicaSet, event(replicaSet, 'FailedCreate', 'admission webhook "p" denied the request')),
    /denied/,
    /policy of the cluster/,
  ],
  [
    'a selector that matches nothing',
    snapshot(object('Service', { spec: { selector: { app: 'none' } } })),
    /matches no pod.*app=none/,
    /labels of the pod template/,
  ],
  [
    'a dead scaler',
    snapshot(condition('ScaledObject', 'Fallback', 'True', 'at least one trigger is falling back')),
    /cannot read the metric/,
    /NetworkPolicy allow KEDA/,
  ],
  [
    'a wrong scaler',
    snapshot(condition('ScaledObject', 'Ready', 'False', 'unknown trigger')),
    /does not scale: unknown trigger/,
    /keda-operator/,
  ],
  [
    'a failed Job',
    snapshot(condition('Job', 'Failed', 'True', 'BackoffLimitExceeded')),
    /BackoffLimitExceeded/,
    /sync again/,
  ],
  [
    'a node that is down',
    snapshot(
      object('Node', { status: { conditions: [{ type: 'Ready', status: 'Unknown', message: 'Kubelet stopped' }] } }),
    ),
    /Kubelet stopped/,
    /npm run up/,
  ],
  [
    'an Application that does not render',
    snapshot(
      object('Application', {
        status: { conditions: [{ type: 'ComparisonError', message: 'kustomize build failed' }] },
      }),
    ),
    /kustomize build failed/,
    /npm run check/,
  ],
  [
    'a failed sync',
    snapshot(
      object('Application', { status: { operationState: { phase: 'Failed', message: 'one object is not valid' } } }),
    ),
    /one object is not valid/,
    /npm run up/,
  ],
]

describe('what the doctor reports', () => {
  it.each(cases)('%s', (_, cluster, what, fix) => {
    const [problem, ...more] = diagnose(cluster)
    expect(problem).toMatchObject({ state: 'broken' })
    expect(problem?.what).toMatch(what)
    expect(problem?.fix).toMatch(fix)
    expect(more).toEqual([])
  })

  it('is nothing where all is healthy', () => {
    const ready = container({ ready: true, state: { running: { startedAt: creationTimestamp } } })
    const done = object('Application', { status: { sync: { status: 'Synced' }, health: { status: 'Healthy' } } })
    expect(diagnose(snapshot(ready, done))).toEqual([])
  })

  it('calls waiting what passes by itself', () => {
    const young = container({ state: { running: { startedAt: new Date().toISOString() } } })
    const before = object('Service', { spec: { selector: { app: 'none' } } })
    const syncing = object('Application', {
      spec: { destination: { namespace: 'app' } },
      status: { operationState: { phase: 'Running' } },
    })
    const states = diagnose(snapshot(young, waiting('PodInitializing'), before, syncing)).map(({ state }) => state)
    expect(new Set(states)).toEqual(new Set(['waiting']))
  })

  it('does not blame a Service whose workload is scaled to none', () => {
    const scaled = object('Deployment', { spec: { replicas: 0, template: { metadata: { labels: { app: 'none' } } } } })
    expect(diagnose(snapshot(object('Service', { spec: { selector: { app: 'none' } } }), scaled))).toEqual([])
  })

  it('is what happened last', () => {
    const cluster = snapshot(
      replicaSet,
      event(replicaSet, 'FailedCreate', 'later', '2026-01-02T00:00:00Z'),
      event(replicaSet, 'FailedCreate', 'earlier'),
    )
    expect(diagnose(cluster)[0]?.what).toContain('later')
  })

  it('names causes before what only waits for them', () => {
    const states = diagnose(
      snapshot(waiting('PodInitializing'), object('Service', { spec: { selector: { app: 'none' } } })),
    ).map(({ state }) => state)
    expect(states).toEqual(['broken', 'waiting'])
  })
})
