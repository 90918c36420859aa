import { join } from 'node:path'
import { formatFiles } from '#system/format.ts'
import { pagesWithOutput, refreshOutputs } from '#system/page-outputs.ts'
import { run } from '#system/process.ts'

/**
 * Completes what was written: the format of Biome, the generated files, and the outputs of the check that pages show. A test covers each of them.
 * @returns what it updated besides, by the path from the root
 */
export async function finish(root: string, kind: string, files: readonly string[]): Promise<readonly string[]> {
  await formatFiles(root, files)
  if (kind === 'rule' || kind === 'service')
    await run(process.execPath, [join(root, 'scripts', 'run.mjs'), 'generate:docs'])
  if (kind === 'rule') return ['docs/rules/']
  if (kind === 'component') return []
  await refreshOutputs(root)
  return [...(kind === 'service' ? ['components/versions/version-labels.yaml'] : []), ...pagesWithOutput]
}
