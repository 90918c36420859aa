import { imagesOf } from '#kubernetes/model/workloads.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'image-from-versions',
  category: 'images',
  scope: 'platform',
  severity: 'error',
  summary: 'Every image that an environment runs is one that its versions.yaml names.',
  why: 'A promotion moves versions.yaml alone. An image that is written elsewhere reaches every environment with one merge, past all gates, and no rollback moves it back.',
  fix: 'Name the image in versions.yaml and in components/versions/images.yaml, and leave the tag out of the manifest.',
  needs: {
    what: 'a versions.yaml beside the kustomization',
    isIn: (environment) => environment.own?.images !== undefined,
  },
  check(environment, report) {
    const images = environment.own?.images
    if (images === undefined) return
    for (const workload of environment.workloads)
      for (const { reference, path } of imagesOf(workload))
        if (reference !== '' && !images.includes(reference))
          report(
            workload.object,
            path,
            `the image ${reference} is not in the versions.yaml of ${environment.name}`,
            `Name the image in spec.images of versions.yaml and let components/versions/images.yaml copy it here, or write one that is there: ${nearest(reference, images)}.`,
          )
  },
})

/** The named images of the same repository, else all. */
function nearest(reference: string, images: readonly string[]): string {
  const repository = (image: string) => image.replace(/@.*$/, '').replace(/:[^:/]*$/, '')
  const same = images.filter((image) => repository(image) === repository(reference))
  return (same.length > 0 ? same : images).join(', ')
}
