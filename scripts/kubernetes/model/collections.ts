/** Appends to the list of a key, which is created where there is none. */
export function push<K, T>(lists: Map<K, T[]>, key: K, entry: T): void {
  const list = lists.get(key)
  if (list === undefined) lists.set(key, [entry])
  else list.push(entry)
}

/** The key of an object in a Map: kind, namespace and name. */
export function objectKey(kind: string, namespace: string, name: string): string {
  return `${kind}\n${namespace}\n${name}`
}
