import { join, relative, resolve } from 'node:path'

/** The folder of this program, with its schemas and pinned tools. run.mjs names it, because a bundle is not beside its sources. */
export const home = process.env.INFERENCE_PLATFORM_HOME ?? join(import.meta.dirname, '../..')

/** The repository that a command works on: the program's own, unless `--root` or INFERENCE_PLATFORM_ROOT names another. */
export const root = process.env.INFERENCE_PLATFORM_ROOT ?? home

/** A path that someone typed, relative to the folder they typed it in, which run.mjs keeps in INIT_CWD. */
export function typedPath(path: string): string {
  return resolve(process.env.INIT_CWD ?? root, path)
}

/** The folder that shown paths of a target's files start from: the repository, or where the command was typed for one outside of it. */
export function shownFrom(folder: string): string {
  return relative(root, folder).startsWith('..') ? typedPath('.') : root
}
