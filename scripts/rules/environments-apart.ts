import type { Environment } from '#kubernetes/model/environment.ts'
import type { Path } from '#kubernetes/model/finding.ts'
import { at, items, type KubeObject, text } from '#kubernetes/model/objects.ts'
import { perEnvironment } from '#kubernetes/model/per-environment.ts'
import { defineRule, type Report } from '#rule/define-rule.ts'

export default defineRule({
  id: 'environments-apart',
  category: 'environments',
  severity: 'error',
  summary:
    'No two environments share a namespace of their workloads, a host name, or a path or role of the secret store.',
  why: 'A copy of an environment that keeps one of these interferes with the original: it receives its requests, reads its passwords, or overwrites its objects at the next sync.',
  fix: 'Give each environment its own namespace, host, and path and role of the secret store.',
  checkAll(environments, reportIn) {
    for (const environment of environments) checkEnvironment(environment, environments, reportIn(environment))
  },
})

function checkEnvironment(environment: Environment, environments: readonly Environment[], report: Report): void {
  // Which of two is the copy is not known, so both are reported, each at the first place.
  const reported = new Set<string>()
  for (const other of environments) {
    if (other === environment) continue
    const theirs = new Set(claimsOf(other).map(({ what, value }) => `${what} ${value}`))
    for (const { what, value, object, path, fix } of claimsOf(environment)) {
      const claim = `${what} ${value}`
      if (!theirs.has(claim) || reported.has(claim)) continue
      reported.add(claim)
      report(object, path, `${what} "${value}" is also used by ${other.name}`, fix)
    }
  }
}

/** Something that only one environment may have. */
interface Claim {
  readonly what: string
  readonly value: string
  readonly object: KubeObject
  readonly path: Path
  readonly fix: string
}

const claimsOf = perEnvironment((environment): readonly Claim[] => [
  ...namespaceClaims(environment),
  ...hostClaims(environment),
  ...secretClaims(environment),
])

/** One for each namespace with workloads: the platform's own namespaces have several kustomizations. */
function namespaceClaims({ workloads, find }: Environment): Claim[] {
  const claims = new Map<string, Claim>()
  for (const { object } of workloads) {
    const { namespace } = object
    if (namespace === '' || claims.has(namespace)) continue
    claims.set(namespace, {
      what: 'the namespace',
      value: namespace,
      object: find('Namespace', '', namespace) ?? object,
      path: find('Namespace', '', namespace) === undefined ? ['metadata', 'namespace'] : ['metadata', 'name'],
      fix: 'Set namespace in the kustomization to one that no other environment has; it sets metadata.namespace and the name of the Namespace.',
    })
  }
  return [...claims.values()]
}

function hostClaims(environment: Environment): Claim[] {
  const claim = (object: KubeObject, path: Path, host: string | undefined): Claim[] =>
    host === undefined || host.startsWith('*')
      ? []
      : [
          {
            what: 'the host',
            value: host,
            object,
            path,
            fix: `Set ${path.at(-1)} of the ${object.kind} to a host that no other environment has.`,
          },
        ]
  const gateways = environment
    .ofKind('Gateway', 'gateway.networking.k8s.io')
    .flatMap((object) =>
      items(at(object.raw, 'spec', 'listeners')).flatMap((listener, index) =>
        claim(object, ['spec', 'listeners', index, 'hostname'], text(at(listener, 'hostname'))),
      ),
    )
  const routes = environment
    .ofKind('HTTPRoute', 'gateway.networking.k8s.io')
    .flatMap((object) =>
      items(at(object.raw, 'spec', 'hostnames')).flatMap((host, index) =>
        claim(object, ['spec', 'hostnames', index], text(host)),
      ),
    )
  const ingresses = environment
    .ofKind('Ingress', 'networking.k8s.io')
    .flatMap((object) =>
      items(at(object.raw, 'spec', 'rules')).flatMap((rule, index) =>
        claim(object, ['spec', 'rules', index, 'host'], text(at(rule, 'host'))),
      ),
    )
  return [...gateways, ...routes, ...ingresses]
}

function secretClaims(environment: Environment): Claim[] {
  return environment.ofKind('SecretStore', 'external-secrets.io').flatMap((object) => {
    const vault = ['spec', 'provider', 'vault']
    const server = text(at(object.raw, ...vault, 'server')) ?? ''
    const paths = [
      ['the path of the secret store', [...vault, 'path']],
      ['the role at the secret store', [...vault, 'auth', 'kubernetes', 'role']],
    ] as const
    return paths.flatMap(([what, path]): Claim[] => {
      const value = text(at(object.raw, ...path))
      if (value === undefined) return []
      // Two servers may have the same path.
      return [
        {
          what: `${what} ${server}`.trim(),
          value,
          object,
          path,
          fix: `Set ${path.at(-1)} to one that no other environment has.`,
        },
      ]
    })
  })
}
