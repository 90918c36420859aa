import { type Deployment, deploymentsOf, destinationOf } from '#kubernetes/argocd/applications.ts'
import { isNamespaced } from '#kubernetes/model/kinds.ts'
import { groupOf, type KubeObject, nameOf } from '#kubernetes/model/objects.ts'
import { perEnvironment } from '#kubernetes/model/per-environment.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'object-owned-once',
  category: 'argocd',
  severity: 'error',
  summary: 'No object is rendered by two Applications with the same destination cluster.',
  why: 'Each sync reverts the other, and deleting either Application deletes the object of both (SharedResourceWarning).',
  fix: 'Render the object in only one of the two, or change its metadata.name with a namePrefix.',
  across: true,
  check(environment, report) {
    const others = environment.together.filter(({ folder = '' }) => folder < (environment.folder ?? ''))
    for (const [index, one] of deployments(environment).entries()) {
      for (const two of deployments(environment).slice(0, index)) {
        const [first] = environment.objects
        if (first !== undefined && clusterOf(one) !== undefined && clusterOf(one) === clusterOf(two))
          report(
            first,
            [],
            `${two.application.name} and ${one.application.name} both render ${environment.folder} into the same cluster`,
            'Keep one of the two Applications, or give them different destination clusters.',
          )
      }
      for (const other of others)
        for (const two of deployments(other)) {
          if (clusterOf(one) === undefined || clusterOf(one) !== clusterOf(two)) continue
          const theirs = identities(other, two)
          for (const [id, object] of identities(environment, one))
            if (theirs.has(id))
              report(
                object,
                ['metadata', 'name'],
                `${two.application.name} (${other.folder}) renders ${nameOf(object)} into the same cluster`,
              )
        }
    }
  },
})

const deployments = perEnvironment(deploymentsOf)

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
