import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { root } from '../scripts/lib/root.ts'
import { runCommand } from './support/repository.ts'

const folders = (path: string) =>
  readdirSync(join(root, path), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
const examples = folders('test/overlays')

describe('the environments of this repository', () => {
  it('are right', () => {
    const { code, stdout, stderr } = runCommand(root, ['check', '--no-cache'])
    expect(stdout + stderr).toMatch(
      /^dev .* right$[\s\S]*^staging .* right$[\s\S]*^prod .* right$[\s\S]*^kind .* right$/m,
    )
    expect(code).toBe(0)
  })
})

describe('the components that no environment switches on', () => {
  it.each(examples)('%s makes a right environment', (name) => {
    const { code, stdout, stderr } = runCommand(root, ['check', '--kustomize', `test/overlays/${name}`])
    expect(stdout + stderr).toMatch(/right$/m)
    expect(code).toBe(0)
  })

  it('leave no component that is rendered nowhere', () => {
    const kustomizations = [
      ...folders('overlays').map((name) => `overlays/${name}`),
      ...examples.map((name) => `test/overlays/${name}`),
    ]
    const rendered = kustomizations
      .map((folder) => readFileSync(join(root, folder, 'kustomization.yaml'), 'utf8'))
      .join('\n')
    expect(folders('components').filter((name) => !rendered.includes(`components/${name}\n`))).toEqual([])
  })
})
