import { containerEnv } from '#kubernetes/configuration/container-env.ts'
import type { Environment } from '#kubernetes/model/environment.ts'
import { nameOf } from '#kubernetes/model/objects.ts'
import type { Workload } from '#kubernetes/model/workloads.ts'
import { edgesOf } from '#kubernetes/network/edges.ts'
import { mayLeave } from '#kubernetes/network/policies.ts'
import { programOf } from '#platform/programs.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'model-registry-reachable',
  category: 'networking',
  scope: 'platform',
  severity: 'error',
  summary:
    'An Ollama server that has to pull models may connect to their registry: TCP port 443 outside of the cluster.',
  why: 'Ollama itself downloads the model, not the Job that requests it: without this egress rule the pull times out, the Job fails, and the model never exists.',
  fix: 'Allow egress to TCP port 443 of external addresses (an ipBlock) in a NetworkPolicy that selects the pods of Ollama.',
  needs: {
    what: 'a Job of this platform that pulls models',
    isIn: (environment) => pullersOf(environment).length > 0,
    isExpected: false,
  },
  check(environment, report) {
    const pullers = new Set(pullersOf(environment))
    const seen = new Set<Workload>()
    for (const { from, to, declaration } of edgesOf(environment)) {
      if (declaration.label !== 'OLLAMA_HOSTS' || !pullers.has(from)) continue
      if (seen.has(to) || usesProxy(environment, to) || mayLeave(environment, to, 443)) continue
      seen.add(to)
      report(
        declaration.object,
        declaration.path,
        `${nameOf(from.object)} has ${nameOf(to.object)} pull models, but no egress rule allows its pods to connect to port 443`,
      )
    }
  },
})

/** Workloads that have Ollama pull from the public registry: neither from files nor from a registry that the model's name starts with. */
function pullersOf(environment: Environment): Workload[] {
  return environment.workloads.filter((workload) =>
    workload.containers.some((container) => {
      const program = programOf(container)
      if (program?.image !== 'worker' || program.file !== 'pull-models') return false
      const { variables, complete } = containerEnv(environment, workload.object, container)
      if (variables.has('MODEL_FILES') || !complete) return false
      return ['CHAT_MODEL', 'EMBED_MODEL'].some((name) => isPublic(variables.get(name)))
    }),
  )
}

/** `llama3.2:3b` and `someone/llama:3b` are in the public registry, `registry.example.com/someone/llama:3b` is not. */
function isPublic(model: string | undefined): boolean {
  return model !== undefined && model !== '' && model.split('/').length < 3
}

function usesProxy(environment: Environment, { object, containers }: Workload): boolean {
  return containers.some((container) => {
    const { variables, complete } = containerEnv(environment, object, container)
    return !complete || variables.has('HTTPS_PROXY') || variables.has('https_proxy')
  })
}
