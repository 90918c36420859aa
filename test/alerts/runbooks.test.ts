import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { root } from '#cli/paths.ts'
import { alertsIn, renderedRules, targets } from './rules.ts'

const folder = join(root, 'docs/runbooks')
const pages = readdirSync(folder).map((file) => file.replace(/\.md$/, ''))
const environments = Promise.all(targets.map(renderedRules))
const services = readdirSync(join(root, 'apps'), { recursive: true, encoding: 'utf8' })
  .filter((file) => /^\w+\/src\/.*\.ts$/.test(file))
  .map((file) => readFileSync(join(root, 'apps', file), 'utf8'))
  .join('')

/** `deployment/gateway` and `deployment gateway` in a page's commands, with the kinds that an environment renders. */
const named =
  /\b(deployment|statefulset|cronjob|scaledobject|horizontalpodautoscaler|networkpolicy|resourcequota|secret|gateway|persistentvolumeclaim)[/ ]([a-z][a-z0-9-]*)/g
/** Objects in other namespaces, or made while the platform runs. */
const elsewhere = new Set(['deployment/keda-operator', 'statefulset/argocd-application-controller'])

function commandsOf(page: string): string[] {
  const content = readFileSync(join(folder, `${page}.md`), 'utf8')
  return content.split('\n').filter((line) => line.startsWith('    '))
}

it('every alert has a runbook and every runbook an alert', async () => {
  const alerts = new Set((await environments).flatMap(({ groups }) => alertsIn(groups).map(({ alert }) => alert)))
  expect(pages.sort()).toEqual([...alerts].sort())
})

describe.each(pages)('the runbook %s', (page) => {
  it('says meaning, impact, diagnosis, fix and escalation, each with words', () => {
    const content = readFileSync(join(folder, `${page}.md`), 'utf8')
    expect(content.startsWith(`# ${page}\n`)).toBe(true)
    for (const section of ['Meaning', 'Impact', 'Diagnosis', 'Fix', 'Escalation'])
      expect(content, section).toMatch(new RegExp(`\n## ${section}\n\n\\S`))
    expect(commandsOf(page).length).toBeGreaterThan(0)
  })

  it('names in its commands only what prod renders', async () => {
    const prod = (await environments).find(({ environment }) => environment === 'prod')
    const objects = new Set(
      prod?.objects.map(({ kind, metadata }) => `${String(kind).toLowerCase()}/${(metadata as { name: string }).name}`),
    )
    // Secrets of prod are written by ExternalSecrets of the same name.
    for (const name of [...objects]) if (name.startsWith('externalsecret/')) objects.add(name.replace('external', ''))
    for (const command of commandsOf(page)) {
      for (const [, kind, name] of command.matchAll(named)) {
        const object = `${kind}/${name}`
        if (!elsewhere.has(object)) expect([...objects], `${command.trim()}`).toContain(object)
      }
    }
  })

  it('quotes log lines that a service writes', () => {
    const content = readFileSync(join(folder, `${page}.md`), 'utf8')
    for (const [, ...quotes] of content.matchAll(/\blines? `([^`]+)`(?: and `([^`]+)`)?/g))
      for (const line of quotes.filter(Boolean)) expect(services, line).toContain(line)
  })

  it('points to alerts that exist', () => {
    const content = readFileSync(join(folder, `${page}.md`), 'utf8')
    for (const [, other = ''] of content.matchAll(/`((?:[A-Z][a-z]+){2,})`/g))
      expect([...pages, 'OOMKilled'], other).toContain(other)
  })
})
