import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** The commands by group, each with the line that `--help` prints. */
const groups = {
  'Check and promote': {
    check: 'check environments, kustomizations or files of manifests',
    diff: 'show what Argo CD will do once the working tree is merged',
    promote: 'move the versions of one environment to the next, as a pull request',
    rollback: 'return an environment to earlier versions, as a pull request',
    versions: 'show what runs in each environment',
    render: 'print the manifests of an environment',
    lock: "write the images' digests into versions.yaml",
    guard: 'check that a branch follows the rules of promotion',
  },
  'Adopt and extend': {
    init: 'replace the placeholders by your organisation, hosts and registry',
    new: 'create an environment, rule, component or service',
  },
  'Run the platform': {
    up: 'create a kind cluster and run the platform in it',
    down: 'delete the cluster that up created',
    doctor: 'diagnose a cluster',
    e2e: 'run the end-to-end scenarios in the cluster',
    dev: 'run the platform without a cluster, from its sources',
    secrets: 'create the Secrets of an environment that has no secret store',
  },
  'Generate, test and install': {
    'generate:docs': 'write docs/rules/ from the rules and their fixtures',
    'generate:dashboards': 'write the Grafana dashboards',
    'generate:schemas': 'write schemas/ from a real API server',
    mutate: 'seed faults into the environments and show which are detected',
    typecheck: 'check the types of all sources',
    'lint:words': 'check the words of all texts',
    tools: 'install the pinned programs',
  },
  Benchmarks: {
    'bench:check': 'time check beside bare kustomize build',
    'bench:diff': 'time diff beside check',
    'bench:gateway': 'measure the rate at which the gateway accepts requests',
    'bench:worker': 'measure the rate through queue and worker beside Ollama alone',
    'bench:peers': 'give the same mutants to other tools',
  },
}

/** The commands of the published package: those that need nothing of this repository beside them. */
export const published = [
  ...['check', 'diff', 'promote', 'rollback', 'versions', 'render'],
  ...['lock', 'guard', 'doctor', 'secrets', 'tools'],
]

/** The source of a command, relative to the project; it need not exist. */
export function sourceOf(command) {
  const [, group, name] = /^(?:(bench|generate|lint):)?(.*)$/.exec(command)
  return group === 'bench' ? `bench/${name}.ts` : `scripts/commands/${name}.ts`
}

/** Whether a command runs from its sources: it uses test code, which finds its files beside itself, or starts services from their sources. */
export function runsFromSources(command) {
  return command.startsWith('bench:') || ['dev', 'up', 'down', 'e2e'].includes(command)
}

/** Where a published package holds the command. */
export function bundleOf(command) {
  return `dist/commands/${command.replace(':', '-')}.mjs`
}

/** The commands that this checkout or package has. */
export function commandsIn(home) {
  const names = Object.values(groups).flatMap((group) => Object.keys(group))
  return names.filter((name) => existsSync(join(home, bundleOf(name))) || existsSync(join(home, sourceOf(name))))
}

/** The text of `--help` without a command. */
export function overview(home) {
  const present = new Set(commandsIn(home))
  const sections = Object.entries(groups).map(([title, commands]) => {
    const lines = Object.entries(commands).filter(([name]) => present.has(name))
    return lines.length === 0
      ? ''
      : `\n${title}:\n${lines.map(([name, text]) => `  ${name.padEnd(21)}${text}\n`).join('')}`
  })
  return `usage: inference-platform <command> [options]
       npm run <command> -- [options]
${sections.join('')}
  --root DIR   the repository that the command works on (also INFERENCE_PLATFORM_ROOT); default: the one that holds
               this program, or the current folder where it is installed as a package

<command> --help prints the options and exit codes of a command.
`
}
