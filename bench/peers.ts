// npm run bench:peers: how many of the same mutants other tools detect, with their durations.
// A peer gets what it can check: kube-score the whole mutated environment, the others the objects that changed. A mutant counts as detected when a peer
// reports a finding that it does not report for the clean environment.
// The programs must be on PATH: go install github.com/zegl/kube-score/cmd/kube-score@v1.20.0 and sigs.k8s.io/kubectl-validate@v0.0.4; kyverno 1.19.1.
// polaris, kube-linter and pluto are not included, nor kyverno's best-practice policies (github.com/kyverno/policies): the Go module proxy does not serve
// their modules. kyverno runs with its only built-in set.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseCommandLine, runCommand } from '#cli/command-line.ts'
import { exit, UsageError } from '#cli/errors.ts'
import { root } from '#cli/paths.ts'
import type { Environment } from '#kubernetes/model/environment.ts'
import { at, fields, items, type KubeObject, text, type Value } from '#kubernetes/model/objects.ts'
import { classes, families } from '#mutate/index.ts'
import { type Mutant, mutatedObjects } from '#mutate/mutation.ts'
import { checkMutants, cleanEnvironments, seedMutants } from '#mutate/run.ts'
import { eachParallel, run } from '#system/process.ts'
import { validateSchemas } from '#validation/kubeconform.ts'

const usage = `usage: npm run bench:peers [-- --per-class N]

Runs this check and the other tools on PATH against the same mutants, and prints a Markdown table.

  --per-class N   the first N mutants of every class (3 by default); a peer that checks whole environments runs once per mutant`

/** Which mutants a tool detects, by their index. */
type Peer = (mutants: readonly Mutant[], folder: string, clean: readonly Environment[]) => Promise<Set<number>>

const changed = (mutant: Mutant): KubeObject[] => {
  const originals = new Set(mutant.environment.objects)
  return mutatedObjects(mutant).filter((object) => !originals.has(object))
}

const stream = (objects: readonly KubeObject[]) => objects.map(({ raw }) => JSON.stringify(raw)).join('\n---\n')

const ours: Peer = async (mutants, _folder, clean) =>
  detected((await checkMutants(mutants, clean)).map(({ killers }) => killers.length > 0))

const kubeconform: Peer = async (mutants) => {
  const manifests = mutants.map((mutant) => ({
    target: mutant.environment.name,
    documents: changed(mutant).map((object) => ({ body: JSON.stringify(object.raw), objects: [object] })),
    locate: () => undefined,
  }))
  const found = await validateSchemas(manifests, join(root, 'schemas'))
  return detected(found.map((findings) => findings.length > 0))
}

/** kube-score checks references between objects, so it gets whole environments. */
const kubeScore: Peer = async (mutants, folder) => {
  const findings = async (objects: readonly KubeObject[], name: string) => {
    const file = join(folder, `${name}.yaml`)
    writeFileSync(file, stream(objects))
    const { stdout } = await run('kube-score', [
      'score',
      '--output-format',
      'json',
      '--kubernetes-version',
      'v1.36',
      file,
    ])
    rmSync(file)
    return new Set(scoreFindings(stdout))
  }
  const clean = new Map<Environment, Set<string>>()
  for (const { environment } of mutants)
    if (!clean.has(environment)) clean.set(environment, await findings(environment.objects, 'clean'))
  const verdicts = eachParallel([...mutants.entries()], async ([index, mutant]) => {
    const found = await findings(mutatedObjects(mutant), `${index}`)
    return [...found].some((finding) => !clean.get(mutant.environment)?.has(finding))
  })
  return detected(await Promise.all(verdicts))
}

/** The checks with a grade below 10 (passed), by object; output that is not JSON means that the manifests were rejected. */
function scoreFindings(stdout: string): string[] {
  let report: Value
  try {
    report = JSON.parse(stdout)
  } catch {
    return ['not read']
  }
  return items(report).flatMap((object) =>
    items(at(object, 'checks')).flatMap((check) => {
      if (at(check, 'skipped') === true || Number(at(check, 'grade')) >= 10) return []
      const comments = items(at(check, 'comments')).map((comment) => `${at(comment, 'path')} ${at(comment, 'summary')}`)
      return [`${at(object, 'object_name')} ${at(check, 'check', 'id')} ${at(check, 'grade')} ${comments.join(', ')}`]
    }),
  )
}

/** kubectl-validate also evaluates the CEL rules of custom resources. */
const kubectlValidate: Peer = async (mutants, folder) => {
  const [manifests, definitions] = [join(folder, 'manifests'), join(folder, 'definitions')]
  for (const path of [manifests, definitions]) mkdirSync(path)
  for (const name of readdirSync(join(root, 'schemas', 'crds')))
    writeFileSync(join(definitions, name.replace(/json$/, 'yaml')), readFileSync(join(root, 'schemas', 'crds', name)))
  for (const [index, mutant] of mutants.entries())
    for (const [position, object] of changed(mutant).entries())
      writeFileSync(join(manifests, `${index}-${position}.yaml`), stream([object]))
  const { stdout, stderr } = await run('kubectl-validate', [manifests, '--local-crds', definitions, '--output', 'json'])
  if (!stdout.startsWith('{')) throw new Error(`kubectl-validate printed no report: ${stderr}`)
  const failed = Object.entries(fields(JSON.parse(stdout) as Value)).filter(([, results]) =>
    items(results).some((result) => at(result, 'status') === 'Failure'),
  )
  return new Set(failed.map(([file]) => Number(/(\d+)-\d+\.yaml$/.exec(file)?.[1])))
}

const podSecurity = `apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: pod-security}
spec:
  background: true
  validationFailureAction: Audit
  rules:
    - name: restricted
      match: {any: [{resources: {kinds: [Pod]}}]}
      validate: {podSecurity: {level: restricted, version: latest}}
`

/** kyverno with the restricted Pod Security Standard, its only built-in set. The namespace identifies the mutant of an object. */
const kyverno: Peer = async (mutants, folder) => {
  const objects = mutants.flatMap((mutant, index) =>
    changed(mutant).map(({ raw }) =>
      JSON.stringify({ ...raw, metadata: { ...fields(raw.metadata), namespace: `mutant-${index}` } }),
    ),
  )
  const [policy, resources] = [join(folder, 'policy.yaml'), join(folder, 'resources.yaml')]
  writeFileSync(policy, podSecurity)
  writeFileSync(resources, objects.join('\n---\n'))
  const { stdout, stderr } = await run('kyverno', [
    'apply',
    policy,
    '--resource',
    resources,
    '--policy-report',
    '--output-format',
    'json',
  ])
  const start = stdout.indexOf('{"kind":"ClusterReport"')
  if (start === -1) throw new Error(`kyverno printed no report: ${stderr}${stdout.slice(0, 500)}`)
  const results = items(at(JSON.parse(stdout.slice(start).split('\n')[0] ?? '') as Value, 'results'))
  const failed = results
    .filter((result) => at(result, 'result') === 'fail')
    .flatMap((result) => text(at(result, 'resources', 0, 'namespace')) ?? [])
  return new Set(failed.map((namespace) => Number(namespace.replace('mutant-', ''))))
}

const peers: Readonly<Record<string, Peer>> = {
  ours,
  kubeconform,
  'kubectl-validate': kubectlValidate,
  'kube-score': kubeScore,
  kyverno,
}

function detected(verdicts: readonly boolean[]): Set<number> {
  return new Set([...verdicts.entries()].flatMap(([index, found]) => (found ? [index] : [])))
}

/** Whether a program is installed; ours needs none. */
async function isInstalled(name: string): Promise<boolean> {
  if (name === 'ours' || name === 'kubeconform') return true
  return run(name, ['version']).then(
    () => true,
    () => false,
  )
}

await runCommand(async () => {
  const { values } = parseCommandLine(usage, { 'per-class': { type: 'string', default: '3' } }, { ok: 'measured' })
  const perClass = Number(values['per-class'])
  if (!Number.isInteger(perClass) || perClass < 1)
    throw new UsageError(`--per-class is "${values['per-class']}"; expected a positive integer`)
  const counts = new Map<string, number>()
  const clean = await cleanEnvironments()
  const mutants = seedMutants(clean, classes).filter(({ class: { id } }) => {
    counts.set(id, (counts.get(id) ?? 0) + 1)
    return (counts.get(id) ?? 0) <= perClass
  })
  const columns: { name: string; found: Set<number>; seconds: number }[] = []
  for (const [name, peer] of Object.entries(peers)) {
    if (!(await isInstalled(name))) {
      process.stderr.write(`NOT MEASURED: ${name} is not on PATH\n`)
      continue
    }
    const folder = mkdtempSync(join(tmpdir(), 'peers-'))
    const began = performance.now()
    try {
      columns.push({ name, found: await peer(mutants, folder, clean), seconds: (performance.now() - began) / 1000 })
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }
  process.stdout.write(`${table(mutants, columns)}\n`)
  return exit.ok
})

function table(
  mutants: readonly Mutant[],
  columns: readonly { name: string; found: Set<number>; seconds: number }[],
): string {
  const row = (...cells: string[]) => `| ${cells.join(' | ')} |`
  const lines = [
    row('faults', 'mutants', ...columns.map(({ name }) => name)),
    row('---', '---:', ...columns.map(() => '---:')),
  ]
  for (const [family, members] of Object.entries(families)) {
    const indexes = [...mutants.entries()].flatMap(([index, { class: own }]) => (members.includes(own) ? [index] : []))
    lines.push(
      row(
        family,
        `${indexes.length}`,
        ...columns.map(({ found }) => `${indexes.filter((index) => found.has(index)).length}`),
      ),
    )
  }
  const share = (found: Set<number>) => `**${found.size}** (${Math.floor((found.size / mutants.length) * 100)} %)`
  lines.push(row('all', `${mutants.length}`, ...columns.map(({ found }) => share(found))))
  lines.push(row('seconds', '', ...columns.map(({ seconds }) => seconds.toFixed(1))))
  return lines.join('\n')
}
