import { imagesOf } from '#kubernetes/model/workloads.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'image-from-versions',
  category: 'images',
  scope: 'platform',
  severity: 'error',
  summary: 'Every image that an environment runs is listed in its versions.yaml.',
  why: 'A promotion changes only versions.yaml. An image that is set elsewhere reaches every environment with one merge, without any gate, and no rollback reverts it.',
  fix: 'Add the image to versions.yaml and to components/versions/images.yaml, and leave the tag out of the manifest.',
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
            `Add the image to spec.images in versions.yaml and let components/versions/images.yaml copy it here, or use one that is listed: ${nearest(reference, images)}.`,
          )
  },
})

/** The listed images of the same repository, else all. */
function nearest(reference: string, images: readonly string[]): string {
  const repository = (image: string) => image.replace(/@.*$/, '').replace(/:[^:/]*$/, '')
  const same = images.filter((image) => repository(image) === repository(reference))
  return (same.length > 0 ? same : images).join(', ')
}
