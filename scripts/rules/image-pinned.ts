import { parseImage } from '#kubernetes/model/image.ts'
import { existing } from '#kubernetes/model/objects.ts'
import { imagesOf } from '#kubernetes/model/workloads.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'image-pinned',
  category: 'images',
  severity: 'error',
  summary: 'Every image has a digest or a tag that does not move.',
  why: 'With a moving tag two pods of one Deployment can run different software, and a rollback may bring the same bug back; an invalid image name never starts.',
  fix: 'Write image with the exact version, or better with its digest: name:1.2.3@sha256:….',
  check(environment, report) {
    for (const workload of environment.workloads) {
      const { object } = workload
      for (const { reference, path } of imagesOf(workload)) {
        const problem = problemOf(reference)
        const fix = `Write ${path.at(-1)} with the exact version, or better with its digest: registry/name:1.2.3@sha256:….`
        if (problem !== undefined) report(object, existing(object.raw, path), problem, fix)
      }
    }
  },
})

function problemOf(reference: string): string | undefined {
  if (reference === '') return 'no image is set; expected registry/name:tag or registry/name@digest'
  const image = parseImage(reference)
  if (image === undefined)
    return `"${reference}" is not a valid image reference; expected registry/name:tag or registry/name@sha256:<64 hexadecimal digits>`
  if (image.digest !== undefined) return undefined
  const { tag } = image
  if (tag === undefined) return `"${reference}" has no tag, which means latest; expected an exact version or a digest`
  // A tag without a digit names a channel; a version with one number is a whole series.
  if (/^latest(-|$)|-latest$/.test(tag) || !/\d/.test(tag))
    return `the tag "${tag}" is a moving tag; expected an exact version or a digest`
  if (/^v?\d{1,2}(-|$)/.test(tag))
    return `the tag "${tag}" is a major version and moves with each release; expected an exact version or a digest`
  return undefined
}
