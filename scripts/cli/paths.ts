import { relative, resolve } from 'node:path'

/** The repository: npm runs every command in it. */
export const root = process.cwd()

/** A path that someone typed, relative to the folder they typed it in, which npm keeps in INIT_CWD. */
export function typedPath(path: string): string {
  return resolve(process.env.INIT_CWD ?? root, path)
}

/** The folder that shown paths of a target's files start from: the repository, or where the command was typed for one outside of it. */
export function shownFrom(folder: string): string {
  return relative(root, folder).startsWith('..') ? typedPath('.') : root
}
