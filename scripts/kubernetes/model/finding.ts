import type { Advice } from '#text/advice.ts'

/** A place in an object: `['spec', 'containers', 0, 'image']`. */
export type Path = readonly (string | number)[]

export type Severity = 'error' | 'warning'

/** A line of a file of the repository; line and column count from 1. */
export interface Source {
  readonly file: string
  readonly line: number
  readonly column?: number
  /** The line itself, where it may be shown. */
  readonly text?: string
}

/** One thing that is wrong, as data: reporters turn it into text. */
export interface Finding extends Advice {
  readonly rule: string
  readonly severity: Severity
  /** The environment, folder or file that was checked. */
  readonly target: string
  /** `Kind namespace/name`; absent where the finding is about a file or the whole render. */
  readonly object?: string
  readonly path?: Path
  /** The file and line of the base, patch or generator that set the value. */
  readonly source?: Source
}

/** `spec.containers[0].image`; keys that are not plain words are quoted: `metadata.labels["app.kubernetes.io/name"]`. */
export function formatPath(path: Path): string {
  let text = ''
  for (const key of path) {
    if (typeof key === 'number') text += `[${key}]`
    else if (/^[A-Za-z0-9_-]+$/.test(key)) text += text === '' ? key : `.${key}`
    else text += `["${key}"]`
  }
  return text
}

/** `base/gateway/service.yaml:12`, which editors and terminals open. */
export function formatSource(source: Source): string {
  return `${source.file}:${source.line}`
}

/** A JSON pointer, `/spec/containers/0`, as a path. */
export function pointerPath(pointer: string): Path {
  const keys = pointer.split('/').slice(1)
  return keys.map((key) => (/^\d+$/.test(key) ? Number(key) : key.replaceAll('~1', '/').replaceAll('~0', '~')))
}
