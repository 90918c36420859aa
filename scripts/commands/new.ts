import { parseCommandLine, runCommand } from '#cli/command-line.ts'
import { exit, UsageError } from '#cli/errors.ts'
import { root } from '#cli/paths.ts'
import { Changes } from '#new/changes.ts'
import { newComponent } from '#new/component.ts'
import { newEnvironment } from '#new/environment.ts'
import { finish } from '#new/finish.ts'
import { newRule } from '#new/rule.ts'
import { newService } from '#new/service.ts'

const usage = `usage: npm run new -- environment NAME --like NAME [--host HOST]
       npm run new -- service NAME
       npm run new -- component NAME
       npm run new -- rule ID

Creates every file that the new part needs, registers it in every list, and prints what it did. The result passes npm run check.

  --like NAME   the environment of promotion.yaml that is copied; the new one comes after it, or before it where it is the last
  --host HOST   the host name of the new environment; default: that of the other with the new name in it`

const next: Readonly<Record<string, string>> = {
  environment: 'Put its passwords into the secret store if it has one, then: npm run check',
  service: 'Write what it does in apps/NAME/src, then: npm install && npm run check && npm test',
  component: 'Write what it does, enable it in an overlay, then: npm run check',
  rule: 'Write what it looks for, its fixtures and a class in scripts/mutate, then: npm run generate:docs && npx vitest run --project unit test/rules.test.ts',
}

await runCommand(async () => {
  const { values, positionals } = parseCommandLine(
    usage,
    { like: { type: 'string' }, host: { type: 'string' } },
    { positionals: true, ok: 'created' },
  )
  const [kind = '', name, ...more] = positionals
  if (!Object.hasOwn(next, kind) || more.length > 0)
    throw new UsageError(`expected one of ${Object.keys(next).join(', ')} and a name\n\n${usage}`)
  const changes = new Changes(root)
  if (kind === 'environment') await newEnvironment(root, changes, name, values.like, values.host)
  else if (kind === 'service') await newService(root, changes, name)
  else if (kind === 'component') newComponent(changes, name)
  else newRule(changes, name)
  const written = changes.write()
  const updated = await finish(
    root,
    kind,
    written.map(({ file }) => file),
  )
  const lines = written.map(({ file, isNew }) => `${isNew ? '+' : '~'} ${file}`)
  lines.push(...updated.map((file) => `~ ${file}`))
  process.stdout.write(`${lines.join('\n')}\n\n${next[kind]?.replace('NAME', name ?? '')}\n`)
  return exit.ok
})
