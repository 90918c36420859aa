import type { Environment } from '#kubernetes/model/environment.ts'
import { at, text } from '#kubernetes/model/objects.ts'
import { broken, type MutationClass, refused, remove, rewrite, type Seed, set } from './mutation.ts'

function* cronJobs(environment: Environment) {
  yield* environment.ofKind('CronJob')
}

function* jobSpecs(environment: Environment) {
  for (const object of environment.ofKind('Job')) yield { object, path: ['spec'] }
  for (const object of environment.ofKind('CronJob')) yield { object, path: ['spec', 'jobTemplate', 'spec'] }
}

const cron = (field: string, value: unknown): Seed =>
  function* (environment) {
    for (const object of cronJobs(environment)) yield set(object, ['spec', field], value)
  }

const job = (field: string, value: unknown): Seed =>
  function* (environment) {
    for (const { object, path } of jobSpecs(environment)) yield set(object, [...path, field], value)
  }

export const jobs: readonly MutationClass[] = [
  refused('schedule-nonsense', 'There is no 25th hour.', cron('schedule', '0 25 * * *')),
  broken('schedule-never', 'The 31st of February does not exist.', cron('schedule', '0 2 31 2 *')),
  refused('time-zone-nonsense', 'There is no such time zone.', cron('timeZone', 'Europe/Atlantis')),
  broken('cronjob-overlaps', 'A long run overlaps with the next one.', cron('concurrencyPolicy', 'Allow')),
  broken('cronjob-suspended', 'It never runs, and no alert fires.', cron('suspend', true)),
  broken(
    'cronjob-deadline',
    'The controller checks every ten seconds: most runs are missed.',
    cron('startingDeadlineSeconds', 5),
  ),
  refused('job-restart-policy', 'The restart policy of a Job must be OnFailure or Never.', function* (environment) {
    for (const { object, podPath, runsToCompletion } of environment.workloads)
      if (runsToCompletion) yield set(object, [...podPath, 'restartPolicy'], 'Always')
  }),
  refused(
    'restart-policy',
    'The restart policy of a Deployment or StatefulSet must be Always.',
    function* (environment) {
      for (const { object, podPath, runsToCompletion } of environment.workloads)
        if (!runsToCompletion) yield set(object, [...podPath, 'restartPolicy'], 'OnFailure')
    },
  ),
  broken(
    'job-unbounded',
    'A Job that hangs never ends, and neither does the sync of Argo CD.',
    job('activeDeadlineSeconds', undefined),
  ),
  // A single attempt (backoffLimit: 0) is deliberate: the programs wait for their dependencies, and Argo CD recreates the Job at the next sync.
  broken('job-does-nothing', 'No pod is created.', function* (environment) {
    for (const object of environment.ofKind('Job')) yield set(object, ['spec', 'parallelism'], 0)
  }),
  broken('job-suspended', 'No pod is created, so the sync never ends.', job('suspend', true)),
  broken('job-deadline-too-short', 'The Job is terminated before its pods can start.', job('activeDeadlineSeconds', 1)),
  refused(
    'failure-policy-container',
    'The policy names a container that the pod does not have.',
    function* (environment) {
      for (const object of environment.ofKind('Job'))
        if (text(at(object.raw, 'spec', 'podFailurePolicy', 'rules', 0, 'onExitCodes', 'containerName')) !== undefined)
          yield* rewrite(
            object,
            ['spec', 'podFailurePolicy', 'rules', 0, 'onExitCodes', 'containerName'],
            (name) => `${name}x`,
          )
    },
  ),
  // A Job without ttlSecondsAfterFinished is harmless here: each is a hook, deleted before the next run, or belongs to a CronJob, which keeps three.
  refused('init-port', 'A regular init container cannot have a readiness probe.', function* (environment) {
    for (const { object, containers } of environment.workloads)
      for (const { role, path } of containers)
        if (role === 'init') yield set(object, [...path, 'readinessProbe'], { tcpSocket: { port: 80 } })
  }),
  broken('sidecar-as-init', 'The init container never ends, so the others never start.', function* (environment) {
    for (const { object, containers } of environment.workloads)
      for (const { role, path, raw } of containers)
        if (role === 'sidecar' && at(raw, 'readinessProbe') !== undefined)
          yield [
            remove(object, [...path, 'restartPolicy']),
            ...['readinessProbe', 'livenessProbe', 'startupProbe'].map((probe) => remove(object, [...path, probe])),
          ]
  }),
]
