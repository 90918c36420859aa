import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { ValidateFunction } from 'ajv'
import { root } from '#cli/paths.ts'
import { writeAtomically } from './atomic-write.ts'

const requireFile = createRequire(import.meta.url)

/**
 * Compiles a JSON schema (draft 2020-12) with ajv. The code that ajv generates is kept, because loading ajv and compiling costs more than
 * the rest of reading our files. The errors of the function hold the wrong data and the schema's part that it breaks.
 */
export async function validator(schema: object): Promise<ValidateFunction> {
  const source = JSON.stringify(schema)
  const name = createHash('sha256').update(source).digest('hex').slice(0, 16)
  const file = join(root, '.cache', 'validators', `${name}.cjs`)
  if (!existsSync(file)) {
    const { generateValidator } = await import('./json-schema-compiler.ts')
    writeAtomically(file, generateValidator(schema))
  }
  return requireFile(file) as ValidateFunction
}
