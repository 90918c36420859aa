import { applicationsOf, sourcesOf } from '#kubernetes/argocd/applications.ts'
import { existing, nameOf } from '#kubernetes/model/objects.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'application-repository',
  category: 'argocd',
  severity: 'error',
  summary:
    'An Application that renders a folder of this repository uses a repoURL that platform.yaml or check.yaml lists.',
  why: 'The rules about paths, projects and owners look at Applications of this repository only. An Application with an unlisted repoURL is not checked, and its first error shows in the cluster.',
  fix: 'Set git in platform.yaml to the address (npm run init), or add it to delivery.repositories in check.yaml.',
  needs: {
    what: 'the addresses of the repository itself (delivery in check.yaml)',
    isIn: ({ known }) => known.repositories.length > 0,
    isExpected: false,
  },
  check(environment, report) {
    const reported = new Set<string>()
    for (const application of applicationsOf(environment))
      for (const { path, repository, folder } of sourcesOf(application)) {
        if (repository === undefined || folder === undefined || !environment.known.folders.includes(folder)) continue
        if (environment.known.repositories.includes(repository)) continue
        const place = existing(application.object.raw, [...path, 'repoURL'])
        const key = `${nameOf(application.object)} ${place.join('.')}`
        if (reported.has(key)) continue
        reported.add(key)
        report(
          application.object,
          place,
          `${application.name} renders ${folder}, a folder of this repository, from ${repository}, which is not a listed address of this repository`,
          `Set git in platform.yaml to ${repository}, or add it to delivery.repositories in check.yaml.`,
        )
      }
  },
})
