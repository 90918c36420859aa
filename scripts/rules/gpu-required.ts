import { at, fields, nameOf } from '#kubernetes/model/objects.ts'
import type { Workload } from '#kubernetes/model/workloads.ts'
import { edgesOf } from '#kubernetes/network/edges.ts'
import { settingsOf } from '#platform/settings.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'gpu-required',
  category: 'resources',
  scope: 'platform',
  severity: 'error',
  summary: 'Where REQUIRE_GPU is true, the Ollama server that is used requests a GPU.',
  why: 'Running a model on the CPU then counts as a failure: the pod never becomes ready, and jobs are requeued.',
  fix: 'Set limits of nvidia.com/gpu (components/gpu), or REQUIRE_GPU to false.',
  needs: {
    what: 'a program that reads REQUIRE_GPU',
    isIn: (environment) => settingsOf(environment, 'REQUIRE_GPU').length > 0,
  },
  check(environment, report) {
    const edges = edgesOf(environment)
    for (const { workload, value, object, path } of settingsOf(environment, 'REQUIRE_GPU')) {
      if (value !== 'true') continue
      const servers = edges
        .filter(({ from, declaration }) => from === workload && declaration.label === 'OLLAMA_URL')
        .map(({ to }) => to)
      for (const server of new Set(servers.length > 0 ? servers : [workload]))
        if (isOllama(server) && !hasGpu(server)) {
          report(object, path, `REQUIRE_GPU is true, but ${nameOf(server.object)} requests no GPU`)
          break
        }
    }
  },
})

function isOllama({ containers }: Workload): boolean {
  return containers.some(({ image }) => /(?:^|\/)ollama(?:[:@]|$)/.test(image))
}

function hasGpu({ containers, pod }: Workload): boolean {
  const claims = at(pod, 'resourceClaims') !== undefined
  return (
    claims ||
    containers.some(({ raw }) =>
      Object.keys(fields(at(raw, 'resources', 'limits'))).some((name) => /gpu|xpu|gaudi|mig-/.test(name)),
    )
  )
}
