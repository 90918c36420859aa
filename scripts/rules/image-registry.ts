import { parseImage } from '#kubernetes/model/image.ts'
import { imagesOf } from '#kubernetes/model/workloads.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'image-registry',
  category: 'images',
  severity: 'warning',
  summary: 'Every image names its registry.',
  why: 'Without a registry the node decides: Docker Hub by default, another one by its configuration, or it rejects the name.',
  fix: 'Write the registry in front of the name.',
  check(environment, report) {
    for (const workload of environment.workloads) {
      for (const { reference, path } of imagesOf(workload)) {
        const image = parseImage(reference)
        if (image === undefined || image.registry !== undefined) continue
        const full = `docker.io/${image.repository.includes('/') ? '' : 'library/'}${reference}`
        report(
          workload.object,
          path,
          `"${reference}" has no registry; expected ${full} if Docker Hub is meant`,
          `Write ${full}, or the registry that is meant in front of the name.`,
        )
      }
    }
  },
})
