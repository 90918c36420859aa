import {
  admitsDestination,
  admitsRepository,
  applicationsOf,
  destinationOf,
  filled,
  projectOf,
  sourcesOf,
} from '#kubernetes/argocd/applications.ts'
import { at, existing, nameOf, show, text } from '#kubernetes/model/objects.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'application-project',
  category: 'argocd',
  severity: 'error',
  summary: 'The AppProject of an Application exists and permits its repository and its destination.',
  why: 'Argo CD rejects the Application (InvalidSpecError) and syncs none of it: the last synced state stays, and only a condition of the Application shows it.',
  fix: 'Name an existing project, add the repository to its sourceRepos, or add the cluster and namespace to its destinations.',
  needs: {
    what: 'an Application or ApplicationSet of Argo CD',
    isIn: (environment) => applicationsOf(environment).length > 0,
    isExpected: false,
  },
  check(environment, report) {
    const seen = new Set<string>()
    for (const application of applicationsOf(environment)) {
      const { object, path, spec } = application
      const reportOnce = (where: readonly (string | number)[], message: string) => {
        const place = existing(object.raw, [...path, ...where])
        const key = `${nameOf(object)} ${place.join('.')} ${message}`
        if (!seen.has(key)) report(object, place, message)
        seen.add(key)
      }
      const name = filled(text(at(spec, 'project')))
      const project = projectOf(environment, application)
      if (name === undefined) continue
      if (project === undefined) {
        const elsewhere = name === 'default' || environment.provided('AppProject', name) !== undefined
        const known = environment.ofKind('AppProject', 'argoproj.io').map((one) => one.name)
        if (!elsewhere && environment.isWhole)
          reportOnce(
            ['project'],
            `${application.name}: there is no AppProject ${name}; expected one of ${known.join(', ') || 'none'}`,
          )
        continue
      }
      for (const source of sourcesOf(application))
        if (source.repository !== undefined && admitsRepository(project, source.repository) === false)
          reportOnce(
            [...source.path.slice(path.length), 'repoURL'],
            `${application.name}: AppProject ${name} does not permit the repository ${source.repository}; it permits ${show(at(project.raw, 'spec', 'sourceRepos') ?? 'none')}`,
          )
      const destination = destinationOf(application)
      if (admitsDestination(project, destination) === false)
        reportOnce(
          ['destination'],
          `${application.name}: AppProject ${name} does not permit the namespace ${destination.namespace ?? '(none)'} in ${destination.name ?? destination.server ?? 'the cluster'}`,
        )
    }
  },
})
