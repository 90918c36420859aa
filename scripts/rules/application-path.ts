import { applicationsOf, sourcesOf } from '#kubernetes/argocd/applications.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'application-path',
  severity: 'error',
  summary: 'The folder of this repository that an Application renders is there and can be built.',
  why: 'Argo CD finds no such path (ComparisonError) and syncs nothing; what runs stays as it was.',
  fix: 'Name in path a folder of this repository that holds manifests, a chart, or a kustomization whose resources are all there.',
  needs: {
    what: 'the addresses of the repository itself (delivery in check.yaml)',
    isIn: (environment) => environment.known.repositories.length > 0,
  },
  check(environment, report) {
    for (const application of applicationsOf(environment))
      for (const { path, repository, folder } of sourcesOf(application)) {
        if (folder === undefined || !environment.known.repositories.includes(repository ?? '')) continue
        if (!environment.known.folders.includes(folder))
          report(
            application.object,
            [...path, 'path'],
            `${application.name}: ${folder} is no folder of this repository that can be built`,
          )
      }
  },
})
