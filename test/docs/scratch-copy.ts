import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from '#cli/paths.ts'
import { run } from '#system/process.ts'

/** Not copied, since no command of a page reads it. */
const left = ['.git', '.cache', 'dist', 'reports', 'coverage']
/** Too large to copy, and changed by no command. */
const shared = ['node_modules', '.tools']

/** A copy of the repository in which the commands of the pages run. */
export class ScratchCopy implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'docs-'))
  readonly #outputs = new Map<string, string>()

  constructor() {
    const names = readdirSync(root).filter((name) => ![...left, ...shared].includes(name))
    for (const name of names) cpSync(join(root, name), join(this.folder, name), { recursive: true })
    mkdirSync(join(root, '.tools'), { recursive: true })
    for (const name of shared) symlinkSync(join(root, name), join(this.folder, name))
  }

  /**
   * What a command prints on a terminal, without npm's own lines.
   * @param change made for this command alone: `base/a.yaml: old → new`
   * @throws Error when the file does not have the old text
   */
  async output(command: string, change?: string): Promise<string> {
    const key = JSON.stringify([command, change])
    const known = this.#outputs.get(key)
    if (known !== undefined) return known
    const undo = change === undefined ? undefined : this.#apply(change)
    const { stdout } = await run('env', [
      ...Object.keys(process.env)
        .filter((name) => /^(npm_|VITEST|INFERENCE_PLATFORM_|INIT_CWD|GITHUB_)/.test(name))
        .flatMap((name) => ['-u', name]),
      ...['NO_COLOR=1', 'npm_config_loglevel=silent'],
      ...['sh', '-c', `cd '${this.folder}' && { ${command}\n} 2>&1`],
    ])
    undo?.()
    this.#outputs.set(key, stdout)
    return stdout
  }

  /** Replaces a text in a file of the copy; the returned function restores it. */
  #apply(change: string): () => void {
    const [, name = '', before = '', after = ''] = /^(\S+): (.+) → (.*)$/.exec(change) ?? []
    const file = join(this.folder, name)
    const content = readFileSync(file, 'utf8')
    if (before === '' || !content.includes(before)) throw new Error(`${name} does not have "${before}"`)
    writeFileSync(file, content.replace(before, after))
    return () => writeFileSync(file, content)
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}
