import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { UsageError } from '#cli/errors.ts'
import { inTemporaryFolder } from '#system/temporary-folder.ts'
import { tool } from '#system/tools.ts'
import { admit, findPrograms } from '#validation/admission.ts'
import type { Candidate } from '#validation/admission-findings.ts'
import { type Mutant, mutatedObjects } from './mutation.ts'
import { observe } from './observe.ts'
import { type Prover, proverOf } from './proof.ts'

/** A prover's result for a mutant. */
interface ProverResult {
  readonly shows: boolean
  readonly message: string
}

/**
 * Verifies the first mutant of every class with the real programs: the API server must reject those that claim it, and accept all others; of these,
 * Kubernetes' controllers and promtool must prove those that claim it.
 * @returns whether every claim is correct; each is printed with the program's own message
 */
export async function proveClaims(mutants: readonly Mutant[]): Promise<boolean> {
  const samples = [...new Map(mutants.toReversed().map((mutant) => [mutant.class.id, mutant])).values()].toReversed()
  const api = await runApiServer(samples)
  const controllers = await runControllers(samples.filter((mutant) => proverOf(mutant.class) === 'controllers'))
  const promtool = await runPromtool(samples.filter((mutant) => proverOf(mutant.class) === 'promtool'))
  let wrong = 0
  const counts = new Map<Prover | undefined, number>()
  for (const mutant of samples) {
    const { id } = mutant.class
    const prover = proverOf(mutant.class)
    counts.set(prover, (counts.get(prover) ?? 0) + 1)
    const first = api.get(mutant) as ProverResult
    const own = controllers.get(mutant) ?? promtool.get(mutant)
    const correct = first.shows === (prover === 'API server') && own?.shows !== false
    if (!correct) wrong++
    const verdict = correct ? (prover === undefined ? 'accepted ' : 'proved   ') : 'WRONG    '
    process.stdout.write(`${verdict}${id.padEnd(30)} ${[first.message, own?.message].filter(Boolean).join('; ')}\n`)
  }
  const of = (prover: Prover | undefined) => counts.get(prover) ?? 0
  process.stdout.write(
    `\n${samples.length} classes: ${of('API server')} rejected by the API server, ${of('controllers')} proved by Kubernetes' controllers, ` +
      `${of('promtool')} by promtool, ${of(undefined)} accepted that show only at run time; ${wrong} wrong\n`,
  )
  return wrong === 0
}

/** Kinds that the admission of other objects reads, so they are always included. */
const context = new Set(['Namespace', 'PriorityClass', 'ServiceAccount', 'LimitRange', 'ResourceQuota'])

async function runApiServer(mutants: readonly Mutant[]): Promise<Map<Mutant, ProverResult>> {
  const candidates = mutants.map((mutant) => candidateOf(mutant.class.id, mutant))
  // Nothing deletes a namespace here, so candidates without one come first.
  candidates.sort((one, other) => one.namespaces - other.namespaces)
  const findings = await admit(candidates, { namespaces: ['argocd', 'keda', 'monitoring'], say: () => {} })
  const refusals = new Map(
    findings.filter(({ severity }) => severity === 'error').map(({ target, message }) => [target, message]),
  )
  return new Map(
    mutants.map((mutant) => {
      const refusal = refusals.get(mutant.class.id)?.split('\n')[0]?.slice(0, 140)
      const message = refusal === undefined ? 'the API server accepts it' : `the API server rejects it: ${refusal}`
      return [mutant, { shows: refusal !== undefined, message }]
    }),
  )
}

/** What a mutant changed or added; its whole environment where the admission of other objects depends on the change. */
function candidateOf(target: string, mutant: Mutant): Candidate & { namespaces: number } {
  const originals = new Set(mutant.environment.objects)
  const whole = mutant.edits.some(({ object }) => context.has(object.kind))
  const objects = mutatedObjects(mutant).filter((object) => whole || !originals.has(object) || context.has(object.kind))
  return {
    target,
    objects,
    locate: () => undefined,
    namespaces: objects.filter(({ kind }) => kind === 'Namespace').length,
  }
}

async function runControllers(mutants: readonly Mutant[]): Promise<Map<Mutant, ProverResult>> {
  if (mutants.length === 0) return new Map()
  const programs = await findPrograms()
  if (typeof programs === 'string') throw new UsageError(programs)
  const differences = await observe(mutants, { ...programs, controllers: await tool('kube-controller-manager') })
  return new Map(
    mutants.map((mutant, index) => {
      const difference = differences[index]
      return [
        mutant,
        { shows: difference !== undefined, message: difference ?? 'the controllers create the same objects' },
      ]
    }),
  )
}

async function runPromtool(mutants: readonly Mutant[]): Promise<Map<Mutant, ProverResult>> {
  if (mutants.length === 0) return new Map()
  const program = await tool('promtool')
  return inTemporaryFolder('rules-', async (folder) => {
    return new Map(
      mutants.map((mutant) => {
        const file = join(folder, `${mutant.class.id}.json`)
        const changed = mutatedObjects(mutant).filter(
          (object) => object.kind === 'PrometheusRule' && !mutant.environment.objects.includes(object),
        )
        writeFileSync(file, JSON.stringify(changed[0]?.raw.spec))
        const { status, stderr } = spawnSync(program, ['check', 'rules', file], { encoding: 'utf8' })
        const line =
          stderr
            .replaceAll(`${file}: `, '')
            .split('\n')
            .find((each) => /"|error/.test(each)) ?? ''
        return [
          mutant,
          { shows: status !== 0, message: `promtool: ${status === 0 ? 'passed' : line.trim().slice(0, 140)}` },
        ]
      }),
    )
  })
}
