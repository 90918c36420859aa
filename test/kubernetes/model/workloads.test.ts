import { expect, it } from 'vitest'
import { type KubeObject, toObject } from '#kubernetes/model/objects.ts'
import { imagesOf, toWorkload, volumeNames } from '#kubernetes/model/workloads.ts'

const object = (apiVersion: string, kind: string, spec: unknown) =>
  toObject({ apiVersion, kind, metadata: { name: 'web' }, spec }) as KubeObject
const pod = { containers: [{ name: 'web', image: 'web:1' }] }

it.each([
  ['apps/v1', 'Deployment', { template: { spec: pod } }, ['spec', 'template', 'spec'], 1, false],
  ['apps/v1', 'StatefulSet', { replicas: 3, template: { spec: pod } }, ['spec', 'template', 'spec'], 3, false],
  ['apps/v1', 'DaemonSet', { template: { spec: pod } }, ['spec', 'template', 'spec'], undefined, false],
  ['batch/v1', 'Job', { template: { spec: pod } }, ['spec', 'template', 'spec'], undefined, true],
  [
    'batch/v1',
    'CronJob',
    { jobTemplate: { spec: { template: { spec: pod } } } },
    ['spec', 'jobTemplate', 'spec', 'template', 'spec'],
    undefined,
    true,
  ],
  [
    'keda.sh/v1alpha1',
    'ScaledJob',
    { jobTargetRef: { template: { spec: pod } } },
    ['spec', 'jobTargetRef', 'template', 'spec'],
    undefined,
    true,
  ],
])('finds the pod of %s %s', (apiVersion, kind, spec, podPath, replicas, runsToCompletion) => {
  const workload = toWorkload(object(apiVersion, kind, spec))
  expect(workload).toMatchObject({ podPath, replicas, runsToCompletion })
  expect(workload?.containers).toMatchObject([{ name: 'web', role: 'main', path: [...podPath, 'containers', 0] }])
})

it('reads a kind of the same name in another group as no workload', () => {
  expect(toWorkload(object('serving.knative.dev/v1', 'Deployment', { template: { spec: pod } }))).toBeUndefined()
  expect(toWorkload(object('v1', 'Service', {}))).toBeUndefined()
  expect(toWorkload(object('argoproj.io/v1alpha1', 'Rollout', { workloadRef: { name: 'a' } }))).toBeUndefined()
})

it('distinguishes init containers, sidecars, main and ephemeral containers', () => {
  const workload = toWorkload(
    object('v1', 'Pod', {
      initContainers: [{ name: 'a' }, { name: 'b', restartPolicy: 'Always' }],
      containers: [{ name: 'c' }],
      ephemeralContainers: [{ name: 'd' }],
    }),
  )
  expect(workload?.containers.map(({ role }) => role)).toEqual(['init', 'sidecar', 'main', 'ephemeral'])
})

it('reads ports with their default protocol and leaves out what is not a number', () => {
  const ports = [{ containerPort: 80 }, { name: 'dns', containerPort: 53, protocol: 'UDP' }, { containerPort: 'http' }]
  const workload = toWorkload(object('v1', 'Pod', { containers: [{ name: 'a', ports }] }))
  expect(workload?.containers[0]?.ports).toEqual([
    { name: undefined, port: 80, protocol: 'TCP' },
    { name: 'dns', port: 53, protocol: 'UDP' },
  ])
})

it('lists images of containers and of volumes, and the claims of a StatefulSet as volumes', () => {
  const workload = toWorkload(
    object('apps/v1', 'StatefulSet', {
      template: { spec: { ...pod, volumes: [{ name: 'model', image: { reference: 'model:1' } }] } },
      volumeClaimTemplates: [{ metadata: { name: 'data' } }],
    }),
  )
  expect(workload && imagesOf(workload).map(({ reference }) => reference)).toEqual(['web:1', 'model:1'])
  expect(workload && volumeNames(workload)).toEqual(['model', 'data'])
})
