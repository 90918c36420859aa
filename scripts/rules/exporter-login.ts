import { containerEnv } from '#kubernetes/configuration/container-env.ts'
import type { Container } from '#kubernetes/model/workloads.ts'
import { defineRule } from '#rule/define-rule.ts'

/** Source: cmd/postgres_exporter/datasource.go of prometheus-community/postgres_exporter. */
const image = /(?:^|\/)postgres[-_]exporter(?:[:@]|$)/
const has = (variables: ReadonlyMap<string, unknown>, name: string) =>
  variables.has(name) || variables.has(`${name}_FILE`)

export default defineRule({
  id: 'exporter-login',
  category: 'configuration',
  severity: 'warning',
  summary: 'postgres_exporter has a password when it has a user.',
  why: 'It logs in with an empty password, which PostgreSQL rejects unless it uses trust authentication: every metric of the database is missing.',
  fix: 'Set DATA_SOURCE_PASS_FILE in env to the path of the mounted password.',
  needs: {
    what: 'a container of postgres_exporter',
    isIn: ({ workloads }) => workloads.some(({ containers }) => containers.some(isExporter)),
    isExpected: false,
  },
  check(environment, report) {
    for (const { object, containers } of environment.workloads)
      for (const container of containers.filter(isExporter)) {
        const { variables, complete } = containerEnv(environment, object, container)
        if (!complete || !has(variables, 'DATA_SOURCE_USER') || has(variables, 'DATA_SOURCE_PASS')) continue
        // A complete connection string takes precedence over the parts; libpq's own variables fill in the rest.
        if (['DATA_SOURCE_NAME', 'PGPASSWORD', 'PGPASSFILE'].some((name) => has(variables, name))) continue
        report(object, container.path, 'DATA_SOURCE_USER is set without DATA_SOURCE_PASS or DATA_SOURCE_PASS_FILE')
      }
  },
})

function isExporter(container: Container): boolean {
  return image.test(container.image)
}
