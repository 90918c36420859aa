import { type Fields, fields, items, text, type Value } from '#kubernetes/model/objects.ts'

// Keywords that mean the same in OpenAPI 3.0 and in JSON schema draft 4, which kubeconform assumes.
const sameMeaning = [
  ...['enum', 'pattern', 'minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'],
  ...['minLength', 'maxLength', 'minItems', 'maxItems', 'minProperties', 'maxProperties', 'uniqueItems', 'required'],
]
// `int32` and the like are not JSON Schema formats; these are, and the API server enforces them.
const formats = ['date-time', 'ipv4', 'ipv6']

// What resource.ParseQuantity of Kubernetes takes: sign, decimal number, then a binary, decimal or exponent suffix.
const quantity = '^[+-]?([0-9]+(\\.[0-9]*)?|\\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?$'
const base64 = '^[A-Za-z0-9+/\\r\\n]*={0,2}[\\r\\n]*$'

// Schemas that OpenAPI cannot express, or that nobody writes into a manifest and would only cost size.
const replaced: Readonly<Record<string, Fields>> = {
  'io.k8s.apimachinery.pkg.api.resource.Quantity': { type: ['string', 'number', 'null'], pattern: quantity },
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString': { type: ['integer', 'string', 'null'] },
  'io.k8s.apimachinery.pkg.apis.meta.v1.ManagedFieldsEntry': { type: 'object' },
}

interface Conversion {
  readonly components: Fields
  readonly definitions: Record<string, Fields>
  /** The full name behind each short one, to notice when two would share it. */
  readonly names: Map<string, string>
}

/** How the API server treats the part at hand. */
interface Rules {
  /** Go types: an absent and a null field are the same. Custom resources take null only where `nullable` says so. */
  readonly builtin: boolean
  /** Off below anyOf, oneOf, allOf and not, whose parts see the whole object and may name a few of its fields. */
  readonly strict: boolean
}

/**
 * Turns one schema of an API server's OpenAPI v3 document into a self-contained JSON schema (draft 4) that refuses
 * unknown fields as the server's strict field validation does. Descriptions, defaults and the fields below `status` are left out.
 * @param document a document such as `/openapi/v3/apis/apps/v1`
 * @param name a key of its `components.schemas`
 */
export function toJsonSchema(document: Value, name: string): Fields {
  const conversion: Conversion = {
    components: fields(fields(fields(document).components).schemas),
    definitions: {},
    names: new Map(),
  }
  const schema = fields(conversion.components[name])
  const properties = fields(schema.properties)
  const ofKind = {
    ...schema,
    properties: {
      ...properties,
      ...('status' in properties
        ? { status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true, nullable: true } }
        : {}),
    },
  }
  const converted = convert(ofKind, { builtin: name.startsWith('io.k8s.'), strict: true }, conversion)
  const required = [...new Set(['apiVersion', 'kind', ...items(converted.required)])]
  const definitions = Object.fromEntries(Object.entries(conversion.definitions).sort(([a], [b]) => (a < b ? -1 : 1)))
  return share({
    ...converted,
    type: 'object',
    required,
    ...(Object.keys(definitions).length > 0 ? { definitions } : {}),
  })
}

/** Below this a reference saves too little to be worth following. */
const shareFrom = 200

/**
 * Moves parts that occur several times in one schema into its definitions, once each, and refers to them: custom resources have no references, so an
 * ApplicationSet repeats its template in each of its generators, and reading that took longer than all other schemas of an environment.
 */
export function share(schema: Fields): Fields {
  const counts = new Map<string, number>()
  const count = (value: Value): string => {
    if (typeof value !== 'object' || value === null) return JSON.stringify(value)
    const written = JSON.stringify(value)
    if (written.length >= shareFrom && !Array.isArray(value)) counts.set(written, (counts.get(written) ?? 0) + 1)
    for (const part of Object.values(value)) count(part)
    return written
  }
  count(schema)

  const shared = new Map<string, string>()
  const definitions: Record<string, Value> = {}
  // Only schemas are replaced: a map of properties is not one.
  const replace = (value: Value, isSchema: boolean): Value => {
    if (Array.isArray(value)) return value.map((part) => replace(part, isSchema))
    if (typeof value !== 'object' || value === null) return value
    const written = JSON.stringify(value)
    const inside = () =>
      Object.fromEntries(
        Object.entries(value).map(([key, part]) => [
          key,
          replace(part, !isSchema || !['properties', 'definitions'].includes(key)),
        ]),
      )
    if (!isSchema || (counts.get(written) ?? 0) < 2) return inside()
    let name = shared.get(written)
    if (name === undefined) {
      name = `shared.${shared.size + 1}`
      shared.set(written, name)
      definitions[name] = inside()
    }
    return { $ref: `#/definitions/${name}` }
  }
  const whole = fields(replace(schema, true))
  return shared.size === 0 ? schema : { ...whole, definitions: { ...fields(whole.definitions), ...definitions } }
}

function convert(schema: Fields, rules: Rules, conversion: Conversion, optional = false): Fields {
  const reference = text(schema.$ref) ?? text(fields(items(schema.allOf)[0]).$ref)
  if (reference !== undefined) return { $ref: `#/definitions/${define(reference, conversion)}` }

  const nullable = schema.nullable === true || (rules.builtin && optional)
  if (schema['x-kubernetes-int-or-string'] === true) {
    return { type: withNull(['integer', 'string'], nullable), ...pick(schema, ['pattern']) }
  }
  const type = text(schema.type)
  const result: Record<string, Value> = pick(schema, sameMeaning)
  if (type !== undefined) result.type = withNull([type], nullable)
  if (nullable && Array.isArray(result.enum)) result.enum = [...new Set([...result.enum, null])]
  if (formats.includes(text(schema.format) ?? '')) result.format = schema.format
  if (schema.format === 'byte') result.pattern = base64
  if (schema['x-kubernetes-list-type'] === 'set') result.uniqueItems = true
  convertParts(schema, rules, conversion, result)
  return result
}

function convertParts(schema: Fields, rules: Rules, conversion: Conversion, result: Record<string, Value>): void {
  const required = items(schema.required)
  if (schema.items !== undefined) result.items = convert(fields(schema.items), rules, conversion)
  if (schema.properties !== undefined) {
    const parts = Object.entries(fields(schema.properties))
    result.properties = Object.fromEntries(
      parts.map(([name, part]) => [name, convert(fields(part), rules, conversion, !required.includes(name))]),
    )
  }
  if (typeof schema.additionalProperties === 'object') {
    result.additionalProperties = convert(fields(schema.additionalProperties), rules, conversion)
  } else if (rules.strict && isClosed(schema, rules)) result.additionalProperties = false
  for (const keyword of ['anyOf', 'oneOf', 'allOf']) {
    const parts = items(schema[keyword])
    if (parts.length > 0)
      result[keyword] = parts.map((part) => convert(fields(part), { ...rules, strict: false }, conversion))
  }
  if (schema.not !== undefined) result.not = convert(fields(schema.not), { ...rules, strict: false }, conversion)
}

/** Whether the server refuses fields that are not named: a builtin object without named fields is free, a custom one is empty. */
function isClosed(schema: Fields, rules: Rules): boolean {
  if (
    schema.type !== 'object' ||
    schema['x-kubernetes-preserve-unknown-fields'] === true ||
    schema.additionalProperties === true
  )
    return false
  return schema.properties !== undefined || !rules.builtin
}

/** Converts what a reference points to, once, and gives its short name: `core.v1.Container`. */
function define(reference: string, conversion: Conversion): string {
  const full = reference.split('/').at(-1) ?? ''
  const short = full.split('.').slice(-3).join('.')
  const known = conversion.names.get(short)
  if (known === full) return short
  if (known !== undefined) throw new Error(`${known} and ${full} would both be named ${short}`)
  conversion.names.set(short, full)
  const schema = fields(conversion.components[full])
  // Only builtin types are shared by reference; a null field is an absent one there.
  const converted = replaced[full] ?? convert(schema, { builtin: true, strict: true }, conversion, true)
  conversion.definitions[short] = converted
  return short
}

function withNull(types: readonly string[], nullable: boolean): string | readonly string[] {
  if (nullable) return [...types, 'null']
  return types.length === 1 ? (types[0] as string) : types
}

function pick(schema: Fields, keywords: readonly string[]): Record<string, Value> {
  const picked: Record<string, Value> = {}
  for (const keyword of keywords) if (schema[keyword] !== undefined) picked[keyword] = schema[keyword]
  return picked
}
