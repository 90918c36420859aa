import { parseImage } from '#kubernetes/model/image.ts'
import { existing } from '#kubernetes/model/objects.ts'
import { imagesOf } from '#kubernetes/model/workloads.ts'
import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'image-pinned',
  severity: 'error',
  summary: 'Every image is named by a digest or by a tag that stays the same image.',
  why: 'A tag that moves makes two pods of one Deployment run different software, and a rollback bring back the same fault; a name that is no image never starts.',
  fix: 'Write image with the exact version, better still with its digest: name:1.2.3@sha256:….',
  check(environment, report) {
    for (const workload of environment.workloads) {
      const { object } = workload
      for (const { reference, path } of imagesOf(workload)) {
        const fault = judge(reference)
        const fix = `Write ${path.at(-1)} with the exact version, better still with its digest: registry/name:1.2.3@sha256:….`
        if (fault !== undefined) report(object, existing(object.raw, path), fault, fix)
      }
    }
  },
})

function judge(reference: string): string | undefined {
  if (reference === '') return 'no image is named; expected registry/name:tag or registry/name@digest'
  const image = parseImage(reference)
  if (image === undefined)
    return `"${reference}" is no image reference; expected registry/name:tag or registry/name@sha256:<64 hexadecimal digits>`
  if (image.digest !== undefined) return undefined
  const { tag } = image
  if (tag === undefined) return `"${reference}" has no tag, which means latest; expected an exact version or a digest`
  // A tag without any figure names a channel; a version of one figure is a whole series.
  if (/^latest(-|$)|-latest$/.test(tag) || !/\d/.test(tag))
    return `the tag "${tag}" moves from image to image; expected an exact version or a digest`
  if (/^v?\d{1,2}(-|$)/.test(tag))
    return `the tag "${tag}" names a major version, whose images change; expected an exact version or a digest`
  return undefined
}
