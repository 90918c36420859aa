import { Ajv2020 } from 'ajv/dist/2020.js'
import standalone from 'ajv/dist/standalone/index.js'

/** The code of a CommonJS module whose export validates by this JSON schema (draft 2020-12). It needs no other module. */
export function generateValidator(schema: object): string {
  // Lengths are counted in UTF-16 units, which spares a helper module; our files are ASCII.
  const ajv = new Ajv2020({ allErrors: true, verbose: true, unicode: false, logger: false, code: { source: true } })
  return standalone.default(ajv, ajv.compile(schema))
}
