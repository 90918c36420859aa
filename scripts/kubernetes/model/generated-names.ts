/** kustomize appends a hash of these letters to the names that its generators give. */
const hash = '-[2456789bcdfghkmt]{10}'
const hashedName = new RegExp(`^(.+)${hash}$`)
const hashInText = new RegExp(`${hash}(?![a-z0-9-])`, 'g')

/** The name before its hash: `app-config` of `app-config-7d5m2k9ggt`; undefined where a name has none. */
export function nameBeforeHash(name: string): string | undefined {
  return hashedName.exec(name)?.[1]
}

/** A text without the hashes of the generated names in it. */
export function withoutHashes(text: string): string {
  return text.replace(hashInText, '')
}
