import { type Deployment, deploymentsOf, destinationOf } from '#kubernetes/argocd/applications.ts'
import type { Environment } from '#kubernetes/model/environment.ts'
import { isNamespaced } from '#kubernetes/model/kinds.ts'
import { groupOf, type KubeObject, nameOf } from '#kubernetes/model/objects.ts'
import { defineRule, type Report } from '#rule/define-rule.ts'

export default defineRule({
  id: 'object-owned-once',
  category: 'argocd',
  severity: 'error',
  summary: 'No object is rendered by two Applications with the same destination cluster.',
  why: 'Each sync reverts the other, and deleting either Application deletes the object of both (SharedResourceWarning).',
  fix: 'Render the object in only one of the two, or change its metadata.name with a namePrefix.',
  checkAll(environments, reportIn) {
    const deployments = new Map(environments.map((one) => [one, deploymentsOf(one, environments)]))
    for (const environment of environments) checkEnvironment(environment, deployments, reportIn(environment))
  },
})

type Deployments = ReadonlyMap<Environment, readonly Deployment[]>

/** Reports in an environment what another Application of its own folder, or of a folder before it, renders as well. */
function checkEnvironment(environment: Environment, deployments: Deployments, report: Report): void {
  const own = deployments.get(environment) ?? []
  const others = [...deployments].filter(([{ folder = '' }]) => folder < (environment.folder ?? ''))
  for (const [index, one] of own.entries()) {
    for (const two of own.slice(0, index)) {
      const [first] = environment.objects
      if (first !== undefined && isSameCluster(one, two))
        report(
          first,
          [],
          `${two.application.name} and ${one.application.name} both render ${environment.folder} into the same cluster`,
          'Keep one of the two Applications, or give them different destination clusters.',
        )
    }
    for (const [other, theirs] of others)
      for (const two of theirs) {
        if (!isSameCluster(one, two)) continue
        const known = identities(other, two)
        for (const [id, object] of identities(environment, one))
          if (known.has(id))
            report(
              object,
              ['metadata', 'name'],
              `${two.application.name} (${other.folder}) renders ${nameOf(object)} into the same cluster`,
            )
      }
  }
}

function isSameCluster(one: Deployment, two: Deployment): boolean {
  const cluster = clusterOf(one)
  return cluster !== undefined && cluster === clusterOf(two)
}

/** One Argo CD and one of its clusters; undefined where the destination is known only in the cluster. */
function clusterOf({ application, writtenIn }: Deployment): string | undefined {
  const { server, name } = destinationOf(application)
  return server === undefined && name === undefined ? undefined : `${writtenIn.folder} ${server ?? name}`
}

function identities(
  { objects }: { objects: readonly KubeObject[] },
  { application }: Deployment,
): Map<string, KubeObject> {
  const { namespace: fallback = '' } = destinationOf(application)
  return new Map(
    objects.map((object) => {
      const { apiVersion, kind, namespace, name } = object
      const home = namespace === '' && isNamespaced(object) !== false ? fallback : namespace
      return [`${groupOf(apiVersion)}/${kind} ${home}/${name}`, object]
    }),
  )
}
