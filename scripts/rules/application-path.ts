import { applicationsOf, sourcesOf } from '#kubernetes/argocd/applications.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'application-path',
  category: 'argocd',
  severity: 'error',
  summary: 'The folder of this repository that an Application renders exists and can be built.',
  why: 'Argo CD reports a ComparisonError for a missing path and syncs nothing; the running objects stay as they are.',
  fix: 'Set path to a folder of this repository with manifests, a chart, or a kustomization whose resources all exist.',
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
            `${application.name}: ${folder} is not a folder of this repository that can be built`,
          )
      }
  },
})
