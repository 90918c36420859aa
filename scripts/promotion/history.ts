import { git, needWholeHistory, tryGit } from '#system/git.ts'
import { parseVersions, type Versions, versionsFile } from './values.ts'

/** The versions of an environment from one commit on. */
export interface Release {
  readonly commit: string
  /** When it was merged: milliseconds since 1970. */
  readonly at: number
  readonly subject: string
  readonly content: string
  readonly versions: Versions
}

/** All versions that an environment has had on a branch, newest first. Commits that change only comments are left out. */
export async function historyOf(root: string, environment: string, ref: string): Promise<Release[]> {
  await needWholeHistory(root)
  const file = versionsFile(environment)
  // --first-parent: the commits of a branch before its merge never ran anywhere.
  const log = await git(root, 'log', '--first-parent', '--format=%H%x09%ct%x09%s', ref, '--', file)
  const releases: Release[] = []
  for (const line of log.split('\n').filter(Boolean)) {
    const [commit = '', seconds = '', ...subject] = line.split('\t')
    const content = await tryGit(root, 'show', `${commit}:${file}`)
    // Deleted in this commit.
    if (content === undefined) continue
    releases.push({
      commit,
      at: Number(seconds) * 1000,
      subject: subject.join('\t'),
      content: `${content}\n`,
      versions: readable(content, `${file} of ${commit.slice(0, 10)}`),
    })
  }
  return releases.filter((release, index) => {
    const older = releases[index + 1]
    return older === undefined || !sameVersions(release.versions, older.versions)
  })
}

/** An old file that cannot be parsed counts as one without versions. */
function readable(content: string, file: string): Versions {
  try {
    return parseVersions(content, file)
  } catch {
    return new Map()
  }
}

/** Whether two sets of versions are equal. */
export function sameVersions(one: Versions, other: Versions): boolean {
  return one.size === other.size && [...one].every(([key, value]) => other.get(key) === value)
}
