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
  severity: 'error',
  summary: 'The AppProject of an Application exists and lets it take from its repository and go to its destination.',
  why: 'Argo CD refuses the Application (InvalidSpecError) and syncs nothing of it: the last good state stays, and nobody is told but by the condition.',
  fix: 'Name a project that is there, or add the repository to its sourceRepos, or the cluster and namespace to its destinations.',
  needs: {
    what: 'an Application or ApplicationSet of Argo CD',
    isIn: (environment) => applicationsOf(environment).length > 0,
    isExpected: false,
  },
  check(environment, report) {
    const seen = new Set<string>()
    for (const application of applicationsOf(environment)) {
      const { object, path, spec } = application
      const say = (where: readonly (string | number)[], message: string) => {
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
          say(
            ['project'],
            `${application.name}: there is no AppProject ${name}; there are ${known.join(', ') || 'none'}`,
          )
        continue
      }
      for (const source of sourcesOf(application))
        if (source.repository !== undefined && admitsRepository(project, source.repository) === false)
          say(
            [...source.path.slice(path.length), 'repoURL'],
            `${application.name}: AppProject ${name} does not admit the repository ${source.repository}; it admits ${show(at(project.raw, 'spec', 'sourceRepos') ?? 'none')}`,
          )
      const destination = destinationOf(application)
      if (admitsDestination(project, destination) === false)
        say(
          ['destination'],
          `${application.name}: AppProject ${name} does not admit the namespace ${destination.namespace ?? '(none)'} of ${destination.name ?? destination.server ?? 'the cluster'}`,
        )
    }
  },
})
