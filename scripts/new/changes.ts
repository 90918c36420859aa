import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { UsageError } from '#cli/errors.ts'

/** The files that a generator creates and edits, collected before any is written: a generator that fails leaves nothing behind. */
export class Changes {
  readonly #files = new Map<string, string>()
  readonly #created: string[] = []
  readonly #root: string

  constructor(root: string) {
    this.#root = root
  }

  has(file: string): boolean {
    return this.#files.has(file) || existsSync(join(this.#root, file))
  }

  /** @throws UsageError when there is no such file */
  read(file: string): string {
    const pending = this.#files.get(file)
    if (pending !== undefined) return pending
    if (!this.has(file))
      throw new UsageError(`there is no ${file}; expected the file that every repository of this kind has`)
    return readFileSync(join(this.#root, file), 'utf8')
  }

  /** @throws UsageError when the file is there already */
  create(file: string, content: string): void {
    if (this.has(file)) throw new UsageError(`${file} is there already; choose another name, or remove it first`)
    this.#files.set(file, content)
    this.#created.push(file)
  }

  /**
   * Changes a file.
   * @throws UsageError when nothing changed, since the place that was looked for is then not there
   */
  edit(file: string, what: string, change: (content: string) => string): void {
    const before = this.read(file)
    const after = change(before)
    if (after === before) throw new UsageError(`${file} has no place for ${what} that is recognised; add it by hand`)
    this.#files.set(file, after)
  }

  /** Writes all files, and gives the path of each and whether it is new. */
  write(): { readonly file: string; readonly isNew: boolean }[] {
    for (const [file, content] of this.#files) {
      mkdirSync(dirname(join(this.#root, file)), { recursive: true })
      writeFileSync(join(this.#root, file), content)
    }
    return [...this.#files.keys()].map((file) => ({ file, isNew: this.#created.includes(file) }))
  }
}

/** Inserts text after the last match of an expression; the same text where nothing matches. */
export function insertAfter(content: string, place: RegExp, text: string): string {
  const match = [...content.matchAll(new RegExp(place.source, `${place.flags.replace('g', '')}g`))].at(-1)
  if (match === undefined) return content
  const end = match.index + match[0].length
  return content.slice(0, end) + text + content.slice(end)
}

/** @throws UsageError when the name cannot be that of a folder and of Kubernetes objects */
export function checkName(name: string | undefined, what: string): string {
  if (name !== undefined && /^[a-z]([-a-z0-9]{0,30}[a-z0-9])?$/.test(name)) return name
  throw new UsageError(
    `"${name ?? ''}" is not a valid name for ${what}; expected lowercase letters, digits and -, such as notifier`,
  )
}
