import { admit, type Candidate } from '../lib/admit.ts'
import { type Mutant, mutatedObjects } from './mutation.ts'

/** Kinds that the admission of others looks up, so they are always sent along. */
const context = new Set(['Namespace', 'PriorityClass', 'ServiceAccount', 'LimitRange', 'ResourceQuota'])

/**
 * Asks a real API server about the first mutant of every class: it has to refuse those that are said to be refused, and to take the others, which
 * break only once they run.
 * @returns whether every claim holds; those that do not are printed
 */
export async function proveClaims(mutants: readonly Mutant[]): Promise<boolean> {
  const samples = new Map<string, Mutant>()
  for (const mutant of mutants) if (!samples.has(mutant.class.id)) samples.set(mutant.class.id, mutant)
  const candidates = [...samples].map(([id, mutant]) => candidateOf(id, mutant))
  const findings = await admit(candidates, { namespaces: ['keda', 'monitoring'], say: () => {} })
  const refusals = new Map(
    findings.filter(({ severity }) => severity === 'error').map(({ target, message }) => [target, message]),
  )
  let holds = true
  for (const [id, mutant] of samples) {
    const refusal = refusals.get(id)
    const right = (refusal !== undefined) === mutant.class.refused
    if (!right) holds = false
    const verdict = refusal === undefined ? 'takes it' : `refuses it: ${refusal.split('\n')[0]?.slice(0, 140)}`
    process.stdout.write(`${right ? 'proved' : 'WRONG '} ${id.padEnd(30)} the API server ${verdict}\n`)
  }
  return holds
}

function candidateOf(target: string, mutant: Mutant): Candidate {
  const originals = new Set(mutant.environment.objects)
  const objects = mutatedObjects(mutant).filter((object) => !originals.has(object) || context.has(object.kind))
  return { target, objects, locate: () => undefined }
}
