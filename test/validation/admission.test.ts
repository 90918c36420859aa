import { beforeAll, describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import type { Finding } from '#kubernetes/model/finding.ts'
import { fields, type Value } from '#kubernetes/model/objects.ts'
import { readDocuments } from '#manifests/documents.ts'
import { admissionProgramsMissing, admit } from '#validation/admission.ts'

const missing = await admissionProgramsMissing()
if (missing !== undefined) {
  process.stderr.write(`\ntest/admit.test.ts DOES NOT RUN. ${missing}\n\n`)
  if (process.env.CI) throw new Error(missing)
}

// --- what the cases are made of ---------------------------------------------------------------------------------------

const limits = { cpu: '100m', memory: '64Mi' }
const container = {
  name: 'main',
  image: 'docker.io/library/redis:8.2.3',
  resources: { requests: limits, limits },
  securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
}
const pod = {
  containers: [container],
  securityContext: { runAsNonRoot: true, runAsUser: 10001, seccompProfile: { type: 'RuntimeDefault' } },
}
const labels = { app: 'web' }

function restricted(name: string): Value {
  const level = 'pod-security.kubernetes.io'
  const own = { [`${level}/enforce`]: 'restricted', [`${level}/warn`]: 'restricted' }
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels: own } }
}

function namespaced(apiVersion: string, kind: string, namespace: string, rest: object): Value {
  return { apiVersion, kind, metadata: { name: 'web', namespace }, ...rest }
}

function deployment(namespace: string, template: object = pod, spec: object = {}): Value {
  const whole = {
    replicas: 1,
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: template },
    ...spec,
  }
  return namespaced('apps/v1', 'Deployment', namespace, { spec: whole })
}

function withContainer(change: object): object {
  return { ...pod, containers: [{ ...container, ...change }] }
}

function scaledObject(namespace: string, spec: object): Value {
  const triggers = [{ type: 'cpu', metricType: 'Utilization', metadata: { value: '70' } }]
  return namespaced('keda.sh/v1alpha1', 'ScaledObject', namespace, {
    spec: { scaleTargetRef: { name: 'web' }, triggers, ...spec },
  })
}

function listener(change: object): Value {
  const one = { name: 'http', port: 80, protocol: 'HTTP', ...change }
  return namespaced('gateway.networking.k8s.io/v1', 'Gateway', 'in-listener', {
    spec: { gatewayClassName: 'x', listeners: [one] },
  })
}

function claims(namespace: string): object {
  const volume = {
    metadata: { name: 'data' },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  }
  const template = withContainer({ volumeMounts: [{ name: 'data', mountPath: '/data' }] })
  const spec = {
    serviceName: 'web',
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: template },
  }
  return namespaced('apps/v1', 'StatefulSet', namespace, {
    spec: { ...spec, volumeClaimTemplates: [volume] },
  }) as object
}

function quota(namespace: string): Value {
  return namespaced('v1', 'ResourceQuota', namespace, { spec: { hard: { 'limits.memory': '1Gi', pods: '5' } } })
}

function priorityClass(value: number): Value {
  return { apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', metadata: { name: 'first' }, value }
}

function cronJob(namespace: string, template: object): Value {
  const jobTemplate = { spec: { template: { spec: { restartPolicy: 'Never', ...template } } } }
  return namespaced('batch/v1', 'CronJob', namespace, { spec: { schedule: '0 3 * * *', jobTemplate } })
}

const limitRange = namespaced('v1', 'LimitRange', 'over-limit', {
  spec: { limits: [{ type: 'Container', max: { memory: '32Mi' } }] },
})
const noHttpPort = {
  scaleTargetRef: { name: 'web' },
  triggers: [],
  fallback: { failureThreshold: 3, replicas: 1 },
  minReplicaCount: 'one',
}

/** The environments that one API server checks, one after the other: name of the case → its objects. */
const cases: Record<string, readonly Value[]> = {
  good: [
    restricted('good'),
    priorityClass(1000),
    namespaced('v1', 'ServiceAccount', 'good', {}),
    quota('good'),
    deployment('good', { ...pod, serviceAccountName: 'web', priorityClassName: 'first' }),
    claims('good') as Value,
    cronJob('good', pod),
    scaledObject('good', {}),
  ],
  // The same PriorityClass with another value would be refused if the first environment's were still there.
  'own-cluster': [
    restricted('own-cluster'),
    priorityClass(2000),
    deployment('own-cluster', { ...pod, priorityClassName: 'first' }),
  ],
  'namespace-of-others': [deployment('elsewhere')],
  'bad-enum': [restricted('bad-enum'), deployment('bad-enum', withContainer({ imagePullPolicy: 'Sometimes' }))],
  'wrong-selector': [
    restricted('wrong-selector'),
    deployment('wrong-selector', pod, { selector: { matchLabels: { app: 'api' } } }),
  ],
  'unknown-field': [restricted('unknown-field'), deployment('unknown-field', pod, { replica: 2 })],
  'unknown-item-field': [
    restricted('unknown-item-field'),
    deployment('unknown-item-field', withContainer({ comand: ['x'] })),
  ],
  'unknown-custom-field': [
    restricted('unknown-custom-field'),
    scaledObject('unknown-custom-field', { minReplicas: 1 }),
  ],
  'custom-type': [restricted('custom-type'), scaledObject('custom-type', noHttpPort)],
  'in-listener': [restricted('in-listener'), listener({ protocol: 'HTTP', tls: { certificateRefs: [{ name: 'x' }] } })],
  privileged: [
    restricted('privileged'),
    deployment('privileged', withContainer({ securityContext: { privileged: true } })),
  ],
  'nested-template': [restricted('nested-template'), cronJob('nested-template', { ...pod, hostNetwork: true })],
  'no-namespace': [deployment('no-namespace')],
  'unserved-kind': [
    restricted('unserved-kind'),
    namespaced('apps/v1beta1', 'Deployment', 'unserved-kind', { spec: {} }),
  ],
  'no-account': [restricted('no-account'), deployment('no-account', { ...pod, serviceAccountName: 'absent' })],
  'no-priority': [restricted('no-priority'), deployment('no-priority', { ...pod, priorityClassName: 'absent' })],
  'over-limit': [restricted('over-limit'), limitRange, deployment('over-limit')],
  'no-memory-limit': [
    restricted('no-memory-limit'),
    quota('no-memory-limit'),
    deployment('no-memory-limit', withContainer({ resources: {} })),
  ],
}

let findings: Finding[]

/** `object path: message` of each finding of a case. */
function found(name: string): string[] {
  const own = findings.filter(({ target }) => target === name)
  return own.map(({ severity, object, path, message }) => `${severity} ${object} ${(path ?? []).join('.')}: ${message}`)
}

describe.skipIf(missing)('a real API server', () => {
  beforeAll(async () => {
    const candidates = Object.entries(cases).map(([target, objects]) => {
      const { objects: read } = readDocuments(objects.map((object) => stringify(fields(object))).join('---\n'), target)
      expect(read).toHaveLength(objects.length)
      return { target, objects: read, locate: () => undefined }
    })
    findings = await admit(candidates, { namespaces: ['elsewhere'], say: () => {} })
  }, 120_000)

  it.each(['good', 'own-cluster', 'namespace-of-others'])('admits %s', (name) => expect(found(name)).toEqual([]))

  it.each([
    [
      'bad-enum',
      /^error Deployment bad-enum\/web spec\.template\.spec\.containers\.0\.imagePullPolicy: .*Unsupported value: "Sometimes"/,
    ],
    [
      'wrong-selector',
      /^error Deployment wrong-selector\/web spec\.template\.metadata\.labels: .*`selector` does not match template `labels`/,
    ],
    ['unknown-field', /^error Deployment unknown-field\/web spec\.replica: .*field not declared in schema/],
    [
      'unknown-item-field',
      /^error Deployment unknown-item-field\/web spec\.template\.spec\.containers\.0\.comand: .*field not declared/,
    ],
    [
      'unknown-custom-field',
      /^error ScaledObject unknown-custom-field\/web spec\.minReplicas: .*(unknown field|field not declared)/,
    ],
    [
      'custom-type',
      /^error ScaledObject custom-type\/web spec\.minReplicaCount: .*expected numeric \(int or float\), got string/,
    ],
    ['in-listener', /^error Gateway in-listener\/web spec\.listeners.*: .*tls must not be specified for protocols/],
    [
      'privileged',
      /^error Deployment privileged\/web spec\.template: .*violates PodSecurity "restricted:latest": privileged/,
    ],
    [
      'nested-template',
      /^error CronJob nested-template\/web spec\.jobTemplate\.spec\.template: .*host namespaces \(hostNetwork=true\)/,
    ],
    ['no-namespace', /^error Deployment no-namespace\/web : namespaces "no-namespace" not found/],
    [
      'unserved-kind',
      /^error Deployment unserved-kind\/web apiVersion: the API server serves no Deployment of apps\/v1beta1; it serves Deployment of apps\/v1$/,
    ],
    ['no-account', /^error Deployment no-account\/web spec\.template: .*serviceaccount "absent" not found/],
    ['no-priority', /^error Deployment no-priority\/web spec\.template: .*no PriorityClass with name absent was found/],
    ['over-limit', /^error Deployment over-limit\/web spec\.template: .*maximum memory usage per Container is 32Mi/],
    ['no-memory-limit', /^error Deployment no-memory-limit\/web spec\.template: .*must specify limits\.memory/],
  ])('refuses %s once, in its own words', (name, words) => {
    expect(found(name)).toHaveLength(1)
    expect(found(name)[0]).toMatch(words)
  })
})
