import { at } from '#kubernetes/model/objects.ts'
import { broken, type MutationClass, refused, remove, type Seed, set } from './mutation.ts'
import { containers } from './places.ts'

const restricted = 'The Pod Security level of the namespace rejects the pods.'

/** Sets one field of the security context of every container. */
function container(field: string, value: unknown): Seed {
  return function* (environment) {
    for (const { object, path } of containers(environment))
      yield set(object, [...path, 'securityContext', field], value)
  }
}

/** Sets one field of every pod. */
function pod(field: readonly string[], value: unknown): Seed {
  return function* (environment) {
    for (const { object, podPath } of environment.workloads) yield set(object, [...podPath, ...field], value)
  }
}

export const security: readonly MutationClass[] = [
  refused('privileged', restricted, function* (environment) {
    for (const { object, path } of containers(environment))
      yield [
        set(object, [...path, 'securityContext', 'privileged'], true),
        set(object, [...path, 'securityContext', 'allowPrivilegeEscalation'], true),
      ]
  }),
  refused('privilege-escalation', restricted, container('allowPrivilegeEscalation', true)),
  refused('capability-added', restricted, container('capabilities', { drop: ['ALL'], add: ['SYS_ADMIN'] })),
  refused('capabilities-kept', restricted, container('capabilities', undefined)),
  refused('proc-unmasked', restricted, container('procMount', 'Unmasked')),
  refused('root-user', restricted, pod(['securityContext', 'runAsUser'], 0)),
  refused('root-allowed', restricted, pod(['securityContext', 'runAsNonRoot'], undefined)),
  refused('seccomp-unconfined', restricted, pod(['securityContext', 'seccompProfile'], { type: 'Unconfined' })),
  refused('seccomp-unset', restricted, pod(['securityContext', 'seccompProfile'], undefined)),
  refused('host-network', restricted, pod(['hostNetwork'], true)),
  refused('host-process-ids', restricted, pod(['hostPID'], true)),
  refused(
    'unsafe-sysctl',
    restricted,
    pod(['securityContext', 'sysctls'], [{ name: 'kernel.msgmax', value: '65536' }]),
  ),
  refused('host-port', restricted, function* (environment) {
    for (const {
      object,
      container: { ports },
      path,
    } of containers(environment))
      if (ports.length > 0) yield set(object, [...path, 'ports', 0, 'hostPort'], ports[0]?.port)
  }),
  refused('host-path', restricted, function* (environment) {
    for (const { object, pod: spec, podPath } of environment.workloads)
      if (at(spec, 'volumes', 0) !== undefined)
        yield set(object, [...podPath, 'volumes', 0], {
          name: at(spec, 'volumes', 0, 'name'),
          hostPath: { path: '/var/run' },
        })
  }),
  broken(
    'writable-root',
    "An intruder can change the program's own files.",
    container('readOnlyRootFilesystem', undefined),
  ),
  broken('token-mounted', 'An intruder in the pod can use the API server with its identity.', function* (environment) {
    for (const { object, podPath } of environment.workloads) {
      yield set(object, [...podPath, 'automountServiceAccountToken'], true)
    }
  }),
  broken(
    'default-account',
    'All such pods share one ServiceAccount, and every permission that it is ever granted.',
    pod(['serviceAccountName'], undefined),
  ),
  broken('namespace-unenforced', 'Pods with any privileges are admitted.', function* (environment) {
    for (const namespace of environment.ofKind('Namespace')) {
      yield remove(namespace, ['metadata', 'labels', 'pod-security.kubernetes.io/enforce'])
      yield set(namespace, ['metadata', 'labels', 'pod-security.kubernetes.io/enforce'], 'privileged')
    }
  }),
  broken('secret-in-git', 'Everyone who can read the repository can read the password.', function* (environment) {
    for (const {
      object,
      path,
      container: { env },
    } of containers(environment))
      yield set(object, [...path, 'env', env.length], { name: 'DATABASE_PASSWORD', value: 'hunter2-Zk81mPq7' })
  }),
  broken('secret-in-url', 'Everyone who can read the repository can read the password.', function* (environment) {
    for (const object of environment.ofKind('ConfigMap', ''))
      for (const name of ['RABBITMQ_URL', 'POSTGRES_URL']) {
        const url = at(object.raw, 'data', name)
        if (typeof url === 'string') yield set(object, ['data', name], url.replace('://', '://admin:Zk81mPq7wR@'))
      }
  }),
]
