import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { root } from '#cli/paths.ts'
import { versionLabels } from '#promotion/version-labels.ts'

const read = (path: string) => readFileSync(join(root, path), 'utf8')

it('components/versions/version-labels.yaml is what `npm run generate:docs` writes', () => {
  const schema: unknown = JSON.parse(read('overlays/versions.schema.json'))
  const generated = versionLabels(schema, parse(read('components/versions/images.yaml')))
  expect(read('components/versions/version-labels.yaml'), 'run `npm run generate:docs` and commit the file').toBe(
    generated,
  )
})

describe('versionLabels', () => {
  const schema = { properties: { spec: { properties: { images: { properties: { web: {} } } } } } }
  const target = (kind: string, name: string, ...fieldPaths: string[]) => ({ select: { kind, name }, fieldPaths })
  const images = (...targets: object[]) => [{ source: { kind: 'Versions', fieldPath: 'spec.images.web' }, targets }]

  it('labels workloads and their pods with the tag, without the digest', () => {
    const labels = versionLabels(
      schema,
      images(
        target('Deployment', 'web', 'spec.template.spec.containers.[name=web].image'),
        target('Job', 'index', 'spec.template.spec.containers.[name=index].image'),
        target('CronJob', 'nightly', 'spec.jobTemplate.spec.template.spec.containers.[name=run].image'),
      ),
    )
    const own = 'metadata.labels.[app.kubernetes.io/version]'
    expect(parse(labels)).toEqual([
      {
        source: { kind: 'Versions', fieldPath: 'spec.images.web', options: { delimiter: '@' } },
        targets: [{ select: { kind: 'Versions' }, fieldPaths: ['status.tagged.web'], options: { create: true } }],
      },
      {
        source: { kind: 'Versions', fieldPath: 'status.tagged.web', options: { delimiter: ':', index: 1 } },
        targets: [
          target('Deployment|Job', 'web|index', own, `spec.template.${own}`),
          target('CronJob', 'nightly', own, `spec.jobTemplate.spec.template.${own}`),
        ],
      },
    ])
  })

  it('does not name a workload after the image of a sidecar', () => {
    const sidecar = target('StatefulSet', 'store', 'spec.template.spec.initContainers.[name=web].image')
    const main = target('Deployment', 'web', 'spec.template.spec.containers.[name=web].image')
    expect(versionLabels(schema, images(sidecar, main))).toBe(versionLabels(schema, images(main)))
  })

  it.each([
    ['is in no container', []],
    [
      'is in init containers only',
      [target('StatefulSet', 'store', 'spec.template.spec.initContainers.[name=web].image')],
    ],
  ])('refuses an image that %s', (_what, targets) => {
    expect(() => versionLabels(schema, images(...targets))).toThrow('no container runs the image web')
  })
})
