import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { at, fields, items, text, type Value } from '#kubernetes/model/objects.ts'
import { kustomizationFile } from '../kustomization.ts'
import { generatorLayer } from './generators.ts'
import { type Layer, type ParsedFile, placeOf, read } from './parsed-files.ts'
import { patchLayers } from './patches.ts'
import { replacementLayers, replacementsOf, transformerLayers } from './replacements.ts'
import { resourceLayer } from './resources.ts'

/** All layers of a kustomization in the order kustomize applies them. */
export function layersOf(folder: string, root: string, seen: Set<string>): Layer[] {
  const path = kustomizationFile(folder)
  if (path === undefined || seen.has(path)) return []
  seen.add(path)
  const [parsed] = read(path, root)
  const kustomization = fields(parsed?.values[0])
  if (parsed === undefined) return []
  const layers: Layer[] = []
  for (const key of ['resources', 'components']) {
    for (const entry of items(kustomization[key])) {
      const target = join(folder, text(entry) ?? '')
      if (!existsSync(target)) continue
      if (statSync(target).isDirectory()) layers.push(...layersOf(target, root, seen))
      else layers.push(...read(target, root).map(resourceLayer))
    }
  }
  for (const key of ['configMapGenerator', 'secretGenerator']) {
    for (const index of items(kustomization[key]).keys()) layers.push(generatorLayer(parsed, key, index, root))
  }
  for (const [index, patch] of items(kustomization.patches).entries()) {
    layers.push(...patchLayers(parsed, index, patch, folder, root))
  }
  for (const [index, image] of items(kustomization.images).entries()) layers.push(imageLayer(parsed, index, image))
  for (const replacement of replacementsOf(kustomization, folder, root))
    layers.push(...replacementLayers(replacement, seen, root))
  for (const entry of items(kustomization.transformers))
    layers.push(...transformerLayers(join(folder, text(entry) ?? ''), seen, root))
  return layers
}

function imageLayer(parsed: ParsedFile, index: number, image: Value): Layer {
  return (object, path) => {
    if (path.at(-1) !== 'image') return undefined
    const rendered = text(at(object.raw, ...path)) ?? ''
    const name = text(at(image, 'newName')) ?? text(at(image, 'name')) ?? ''
    return rendered.startsWith(name) ? placeOf(parsed, ['images', index], path.length) : undefined
  }
}
