import { at } from '#kubernetes/model/objects.ts'
import { placesOf } from '#kubernetes/network/declared-addresses.ts'
import { faultsOf, programOf, programs, variablesOf } from '#platform/programs.ts'
import { platformImage } from '#rule/conventions.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'program-configured',
  category: 'configuration',
  scope: 'platform',
  severity: 'error',
  summary: 'A program of this platform exists in its image and has a valid value for every variable that it requires.',
  why: 'The programs validate their configuration at start and exit with code 78 when it is invalid: the pod restarts forever, a Job fails.',
  fix: 'Set the variable in the ConfigMap of the program, or in env; docs/architecture.md lists them all.',
  needs: platformImage,
  check(environment, report) {
    for (const workload of environment.workloads)
      for (const container of workload.containers) {
        const program = programOf(container)
        if (program === undefined) continue
        const { object } = workload
        const definitions = variablesOf(program)
        if (definitions === undefined) {
          const files = Object.keys(programs).filter((name) => name.startsWith(`${program.image}/`))
          const known = files.map((name) => `dist/${name.split('/')[1]}.js`).join(', ')
          const path = at(container.raw, 'args', 0) === undefined ? ['image'] : ['args', 0]
          report(
            object,
            [...container.path, ...path],
            `the image has no program dist/${program.file}.js; it has ${known}`,
            `Write one of ${known} in ${path[0]}.`,
          )
          continue
        }
        for (const { name, set, message } of faultsOf(environment, workload, container, definitions)) {
          const place = set
            ? [...placesOf(environment, workload, container)].find((entry) => entry.name === name)
            : undefined
          report(
            place?.object ?? object,
            place?.path ?? container.path,
            `${name} of container "${container.name}" ${message}`,
            `Set ${set ? 'the value of ' : ''}${name} in the ConfigMap of the program, or in env; docs/architecture.md lists all variables.`,
          )
        }
      }
  },
})
