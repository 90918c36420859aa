import { describe, expect, it } from 'vitest'
import { foldersNamed } from '#check/delivery.ts'
import { type KubeObject, toObject } from '#kubernetes/model/objects.ts'
import { scratchRepository } from '../support/repository.ts'

describe('a folder that an Application names', () => {
  const buildable = (files: Record<string, string>) => {
    const objects = [
      toObject({
        apiVersion: 'argoproj.io/v1alpha1',
        kind: 'Application',
        metadata: { name: 'shop' },
        spec: { source: { repoURL: 'x', path: 'app' } },
      }),
    ]
    return foldersNamed(objects as KubeObject[], scratchRepository(files))
  }
  it.each([
    [
      'with a kustomization whose entries are there',
      {
        'app/kustomization.yaml': 'resources:\n  # why\n  - a.yaml\n  - ../base\n',
        'app/a.yaml': '',
        'base/kustomization.yaml': 'resources:\n- b.yaml\n',
        'base/b.yaml': '',
      },
    ],
    [
      'with a remote base',
      { 'app/kustomization.yaml': 'resources:\n  - https://github.com/a/b//c?ref=v1\n  - github.com/a/b?ref=v1\n' },
    ],
    ['with manifests alone', { 'app/a.yaml': '' }],
    ['with a chart', { 'app/Chart.yaml': '' }],
  ])('%s can be built', (_, files) => {
    expect(buildable(files)).toEqual(['app'])
  })
  it.each([
    ['that is not there', { 'other/a.yaml': '' }],
    [
      'that holds itself',
      { 'app/kustomization.yaml': 'resources:\n  - ../b\n', 'b/kustomization.yaml': 'resources:\n  - ../app\n' },
    ],
    ['with nothing to render', { 'app/README.md': '' }],
    ['with a kustomization that names what is not there', { 'app/kustomization.yaml': 'resources:\n  - a.yaml\n' }],
    [
      'with a base that names what is not there',
      { 'app/kustomization.yaml': 'components:\n- ../base\n', 'base/kustomization.yaml': 'resources:\n  - b.yaml\n' },
    ],
  ])('%s can not', (_, files) => {
    expect(buildable(files)).toEqual([])
  })
})
