import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseDocument } from 'yaml'
import type { OwnFacts } from '#kubernetes/model/environment.ts'
import { at, strings } from '#kubernetes/model/objects.ts'
import { readSimple } from '#text/fast-yaml.ts'
import { type Platform, placeholders, servicesOf } from './platform-file.ts'

/**
 * What the files of a repository say of one of its environments.
 * @param folder of the environment, in the repository or in the files of an earlier commit
 */
export function ownFacts(root: string, folder: string, platform: Platform | undefined): OwnFacts {
  return {
    services: servicesOf(root),
    images: imagesOfVersions(folder),
    isAdopted: platform !== undefined && placeholders(platform).length === 0,
  }
}

/** The images that a `versions.yaml` names; undefined where there is none or it cannot be read, which is another finding. */
function imagesOfVersions(folder: string): string[] | undefined {
  const file = join(folder, 'versions.yaml')
  if (!existsSync(file)) return undefined
  const content = readFileSync(file, 'utf8')
  const simple = readSimple(content)
  const document = simple === undefined ? parseDocument(content) : undefined
  if (document !== undefined && document.errors.length > 0) return undefined
  return Object.values(strings(at(simple ?? document?.toJS(), 'spec', 'images')))
}
