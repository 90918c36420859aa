import type { Environment } from '#kubernetes/model/environment.ts'
import { strings } from '#kubernetes/model/objects.ts'
import { perEnvironment } from '#kubernetes/model/per-environment.ts'
import { settingsOf } from '#platform/settings.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'user-known',
  category: 'configuration',
  scope: 'platform',
  severity: 'error',
  summary:
    'A user that a program logs in as is created, with permissions, by the rendered RabbitMQ definitions, Redis ACL or PostgreSQL scripts.',
  why: 'The server rejects an unknown user: the program never becomes ready. A user without permissions can log in but do nothing.',
  fix: 'Write the name of a user that is created, or create it with permissions.',
  check(environment, report) {
    const known = usersByServer(environment)
    for (const [server, names] of Object.entries(variables)) {
      const users = known[server]
      if (users === undefined || users.size === 0) continue
      for (const name of names)
        for (const { value, object, path } of settingsOf(environment, name))
          if (!users.has(value))
            report(
              object,
              path,
              `${server} has no user "${value}"; it has ${[...users].sort().join(', ')}`,
              `Set the value of ${name} to one of ${[...users].sort().join(', ')}, or create the user.`,
            )
    }
    for (const map of environment.ofKind('ConfigMap', ''))
      for (const [key, content] of Object.entries(strings(map.raw.data)))
        for (const [entry] of content.includes('"permissions"')
          ? content.matchAll(/\{[^{}]*"configure"[^{}]*\}/g)
          : []) {
          const permissions = [...entry.matchAll(/"(?:configure|write|read)":\s*"([^"]*)"/g)].map(
            ([, permission]) => permission,
          )
          const user = /"user":\s*"([^"]*)"/.exec(entry)?.[1]
          // A user with a tag needs a permission only to see the virtual host.
          const tagged =
            user !== undefined &&
            new RegExp(`"name":\\s*"${user.replace(/[^\w-]/g, '.')}"[^\\n]*"tags":\\s*\\["`).test(content)
          if (permissions.length === 3 && !tagged && permissions.every((permission) => permission === '^$'))
            report(
              map,
              ['data', key],
              `user "${user}" has no configure, write or read permission; expected a queue in one of them`,
              `Name the queues of "${user}" in configure, write or read of its permissions in ${key}, or remove the user.`,
            )
        }
  },
})

const variables: Readonly<Record<string, readonly string[]>> = {
  RabbitMQ: ['RABBITMQ_USERNAME'],
  Redis: ['REDIS_USERNAME', 'REDIS_USER'],
  Postgres: ['POSTGRES_USERNAME', 'DATA_SOURCE_USER'],
}

/** The users that rendered ConfigMaps create; none where something else creates them. */
const usersByServer = perEnvironment((environment: Environment): Readonly<Record<string, ReadonlySet<string>>> => {
  const users = { RabbitMQ: new Set<string>(), Redis: new Set<string>(), Postgres: new Set<string>() }
  for (const map of environment.ofKind('ConfigMap', ''))
    for (const content of Object.values(strings(map.raw.data))) {
      if (content.includes('"users"'))
        for (const [, name = ''] of content.matchAll(/"name":\s*"([^"]+)",\s*"password/g)) users.RabbitMQ.add(name)
      for (const [, name = ''] of content.matchAll(/^user (\S+) (?:on|off)\b/gm)) users.Redis.add(name)
      for (const [, name = ''] of content.matchAll(/\bcreate role (\w+)/gi)) users.Postgres.add(name)
    }
  // Besides those of the scripts: the superuser of the image, and those that the migration creates with its passwords.
  if (users.Postgres.size > 0) {
    for (const { value } of settingsOf(environment, 'POSTGRES_USER')) users.Postgres.add(value)
    for (const role of ['gateway', 'collector'])
      if (settingsOf(environment, `${role.toUpperCase()}_PASSWORD_FILE`).length > 0) users.Postgres.add(role)
  }
  return users
})
