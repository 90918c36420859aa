import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** The names kustomize looks for, in its order. */
const names = ['kustomization.yaml', 'kustomization.yml', 'Kustomization']

/** The kustomization file of a folder; undefined when there is none. */
export function kustomizationFile(folder: string): string | undefined {
  return names.map((name) => join(folder, name)).find((file) => existsSync(file))
}
