import { copyFileSync, mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { home } from '#cli/paths.ts'
import { $, complaint } from '../shell.ts'
import { type GoSource, type Tool, type ToolName, tools } from './catalog.ts'
import type { Places } from './places.ts'
import { askVersion } from './program-version.ts'
import { megabytes, secondsSince, Unavailable } from './unavailable.ts'

/** Runs Go in the module that is built and gives what it prints. @throws Unavailable with the end of what Go printed */
type Go = (...args: readonly string[]) => Promise<string>

/**
 * Builds the program from its Go module into the folder `draft`. Go verifies every module against its checksum database.
 * A module that replaces others by its own folders cannot be built by `go install`, so all are built the same way:
 * by a temporary module that requires the upstream one and repeats the replaces that matter.
 * @throws Unavailable without Go, and when Go fails
 */
export async function build(name: ToolName, draft: string, places: Places): Promise<void> {
  const { go: source, version, ask }: Tool = tools[name]
  const began = Date.now()
  const folder = join(draft, 'module')
  mkdirSync(folder)
  const inModule = $({ cwd: folder, env: goEnvironment(places, source.cgo) })
  const go: Go = async (...args) => {
    const answer = await inModule`go ${args}`
    if (answer.ok) return answer.stdout
    if (answer.exitCode === 127) throw new Unavailable('Go: no program named go on PATH to build it with')
    throw new Unavailable(`Go: ${complaint(answer).split('\n').slice(-3).join('\n      ')}`)
  }
  await go('mod', 'init', 'build')
  const timer = setInterval(
    () => places.say(`${name} ${version}: building with Go, ${secondsSince(began)} so far`),
    15_000,
  )
  places.say(`${name} ${version}: building with Go from ${source.module}@${source.version}`)
  try {
    await compile(source, folder, join(draft, name), go)
  } finally {
    clearInterval(timer)
  }
  const built = await askVersion(join(draft, name), ask)
  if (built !== version)
    throw new Unavailable(`Go: the program that was built prints ${built || 'no version'}, not ${version}`)
  places.say(`${name} ${version}: built, ${megabytes(statSync(join(draft, name)).size)}, ${secondsSince(began)}`)
}

async function compile(source: GoSource, folder: string, target: string, go: Go): Promise<void> {
  const modules = [`${source.module}@${source.version}`, ...(source.main?.modules ?? [])]
  const required = modules.map((module) => `-require=${module}`)
  await go('mod', 'edit', ...required, ...(await replaces(source, go)))
  if (source.main !== undefined) copyFileSync(join(home, source.main.file), join(folder, 'main.go'))
  const stamps = Object.entries(source.stamp ?? {}).map(([variable, value]) => `-X ${variable}=${value}`)
  const upstream = source.package === undefined ? source.module : `${source.module}/${source.package}`
  const built = source.main === undefined ? upstream : '.'
  await go('build', '-trimpath', '-ldflags', ['-s -w', ...stamps].join(' '), '-o', target, built)
}

/** The machine's own settings except those that would change what is built or leave it unverified. */
function goEnvironment(places: Places, cgo = false): NodeJS.ProcessEnv {
  // An empty value would mean the machine's own setting; no module is named `none`.
  const verified = { GOSUMDB: 'sum.golang.org', GONOSUMDB: 'none' }
  const CGO_ENABLED = cgo ? '1' : '0'
  return { ...process.env, PATH: places.path, CGO_ENABLED, GOFLAGS: '-mod=mod', GOWORK: 'off', ...verified }
}

/** Kubernetes v1.X.Y replaces its staging modules by folders; they are published as v0.X.Y. */
async function replaces(source: GoSource, go: Go): Promise<string[]> {
  if (source.module !== 'k8s.io/kubernetes') return []
  const downloaded = await go('mod', 'download', '-json', `${source.module}@${source.version}`)
  const { GoMod } = JSON.parse(downloaded) as { GoMod: string }
  const { Replace = [] } = JSON.parse(await go('mod', 'edit', '-json', GoMod)) as {
    Replace?: { Old: { Path: string } }[]
  }
  return Replace.map(({ Old }) => `-replace=${Old.Path}=${Old.Path}@${source.version.replace('v1.', 'v0.')}`)
}
