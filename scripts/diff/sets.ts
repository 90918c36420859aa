/** Entries that are on one side only. */
export interface SetChange {
  readonly added: readonly string[]
  readonly removed: readonly string[]
}

/** Compares two sets of lines; both lists of the result are sorted. */
export function compareSets(before: Iterable<string>, after: Iterable<string>): SetChange {
  const [old, now] = [new Set(before), new Set(after)]
  return {
    added: [...now].filter((line) => !old.has(line)).sort(),
    removed: [...old].filter((line) => !now.has(line)).sort(),
  }
}
