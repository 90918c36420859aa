import { parseCommandLine, runCommand } from '#cli/command-line.ts'
import { exit, UsageError } from '#cli/errors.ts'
import { root } from '#cli/paths.ts'
import { resolveImages, writeDigests } from '#lock/lock.ts'
import { createClient, defaults } from '#lock/registry.ts'
import { environments, findEnvironment } from '#manifests/kustomize.ts'

const usage = `usage: npm run lock [-- <environment>… ] [--update] [--mirror REGISTRY=URL]…

Resolves the digests of the images in overlays/<environment>/versions.yaml (by default of the first environment) at their registries and writes them there.
All or nothing: if one cannot be resolved, nothing is written. Uses the logins of docker login.

  --update               resolve images that already have a digest again, since their tag may have moved
  --mirror REGISTRY=URL  use another address instead: docker.io=https://mirror.example.com`

await runCommand(async () => {
  const { values, positionals } = parseCommandLine(
    usage,
    {
      update: { type: 'boolean', default: false },
      mirror: { type: 'string', multiple: true, default: [] },
    },
    { positionals: true, ok: 'every image has its digest', findings: 'a digest could not be resolved' },
  )
  const first = environments(root)[0]?.name
  const names = positionals.length > 0 ? positionals : [first ?? 'dev']
  const client = createClient({ ...defaults, mirrors: new Map(values.mirror.map(toMirror)) })
  let refused = 0
  for (const { name } of names.map((one) => findEnvironment(root, one))) {
    const outcomes = await resolveImages(root, name, client, values.update)
    const refusals = outcomes.filter(({ refusal }) => refusal !== undefined)
    for (const { key, refusal } of refusals)
      process.stdout.write(`error: ${name} ${key}: ${refusal?.message}\n  fix: ${refusal?.fix}\n`)
    refused += refusals.length
    const changed = outcomes.filter(({ before, after }) => after !== undefined && after !== before)
    if (refusals.length > 0) {
      process.stdout.write(
        `${name}: nothing was written: ${refusals.length} of ${outcomes.length} digests could not be resolved\n`,
      )
      continue
    }
    if (changed.length > 0) writeDigests(root, name, changed)
    for (const { key, after } of changed) process.stdout.write(`${name} ${key}: ${after}\n`)
    if (changed.length === 0) process.stdout.write(`${name}: every image has its digest\n`)
  }
  return refused > 0 ? exit.findings : exit.ok
})

function toMirror(text: string): [string, string] {
  const [, registry, address] = /^([^=/]+)=(https?:\/\/[^/]+)\/?$/.exec(text) ?? []
  if (registry !== undefined && address !== undefined) return [registry, address]
  throw new UsageError(
    `--mirror ${text}: expected REGISTRY=URL without a path, such as docker.io=https://mirror.example.com`,
  )
}
