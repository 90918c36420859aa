import type { Path, Source } from '#kubernetes/model/finding.ts'
import type { KubeObject } from '#kubernetes/model/objects.ts'
import { layersOf } from './layers.ts'
import { type Layer, type Place, parse } from './parsed-files.ts'
import { resourceLayer } from './resources.ts'

/** Finds the file and line that set a value of a rendered object; undefined when no file of the repository does. */
export type Locate = (object: KubeObject, path: Path) => Source | undefined

/** Locates values in what a kustomization is made of. The files are read at the first question only. */
export function locateInKustomization(folder: string, root = process.cwd()): Locate {
  let layers: Layer[] | undefined
  return (object, path) => {
    layers ??= layersOf(folder, root, new Set())
    return deepest(layers, object, path)
  }
}

/** Locates values in one YAML file. */
export function locateInFile(file: string, content: string): Locate {
  let layers: Layer[] | undefined
  return (object, path) => {
    layers ??= parse(file, content).map(resourceLayer)
    return deepest(layers, object, path)
  }
}

/** The layer that covers most of the path; of several, the one applied last. */
function deepest(layers: readonly Layer[], object: KubeObject, path: Path): Source | undefined {
  let best: Place | undefined
  for (const layer of layers) {
    const found = layer(object, path)
    if (found !== undefined && (best === undefined || found.depth >= best.depth)) best = found
  }
  if (best === undefined) return undefined
  const { line, col } = best.parsed.lines.linePos(best.offset)
  return { file: best.parsed.file, line, column: col }
}
