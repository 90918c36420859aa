import { parseDocument } from 'yaml'
import { at, fields, items, type KubeObject, text, type Value } from '#kubernetes/model/objects.ts'
import { readSimple } from '#text/fast-yaml.ts'
import { fillAll, fillTemplate, mergePatch, TemplateFault } from './go-template.ts'

/** One set of parameters per Application. A generator that queries a cluster or a repository yields one: `{ generator }`. */
export function parametersOf({ raw }: KubeObject): Value[] {
  return items(at(raw, 'spec', 'generators')).flatMap((generator) => {
    const elements = at(generator, 'list', 'elements')
    return Array.isArray(elements) ? elements : [{ generator }]
  })
}

/**
 * The Application that a set generates from its template, its template patch and one set of parameters. What cannot be evaluated stays as written.
 * `fault` is why the set cannot generate it; absent where it can.
 */
export function generateApplication({ raw }: KubeObject, parameters: Value): { generated: Value; fault?: string } {
  const spec = fields(raw.spec)
  if (spec.goTemplate !== true)
    return { generated: fillAll(spec.template, (template) => fillPlain(template, parameters)) }
  const known = at(parameters, 'generator') === undefined
  const strict = !known || items(spec.goTemplateOptions).includes('missingkey=error')
  let fault: string | undefined
  const fill = (template: string): string => {
    try {
      return fillTemplate(template, parameters, strict)
    } catch (error) {
      if (!(error instanceof TemplateFault)) throw error
      if (known) fault ??= error.message
      return template
    }
  }
  const filled = fillAll(spec.template, fill)
  const patch = text(spec.templatePatch) ?? ''
  const { value, broken } = readPatch(fill(patch))
  if (known && broken !== undefined) fault ??= `its template patch is not YAML: ${broken}`
  // Unfilled, it still shows when it changes, and so do the parameters that it would be filled with.
  const whole =
    fault !== undefined || (!known && patch.includes('{{'))
      ? { ...fields(filled), templatePatch: patch, parameters }
      : mergePatch(filled, value)
  return { generated: whole, ...(fault !== undefined && { fault }) }
}

/** A template patch, and why it cannot be read. */
function readPatch(content: string): { value: Value; broken?: string | undefined } {
  // Most are plain: the reader for that is loaded anyway, and the library costs a check more than all its other Applications.
  const simple = content.trim() === '' ? {} : readSimple(content)
  if (simple !== undefined && fields(simple) === simple) return { value: simple }
  const document = parseDocument(content)
  const [error] = document.errors
  if (error !== undefined) return { value: {}, broken: error.message.split('\n')[0] }
  try {
    const value: Value = document.toJS({ maxAliasCount: 100 }) ?? {}
    return fields(value) === value ? { value } : { value: {}, broken: 'expected a mapping' }
  } catch (error) {
    // Aliases within aliases.
    return { value: {}, broken: (error as Error).message }
  }
}

/** Without Go templates a set knows only names: `{{environment}}`. */
function fillPlain(template: string, parameters: Value): string {
  return template.replace(/\{\{\s*([\w.]+)\s*\}\}/g, (whole, path: string) => {
    const value = at(parameters, ...path.split('.'))
    return typeof value === 'string' || typeof value === 'number' ? String(value) : whole
  })
}
