/** The parts of an image reference, `registry/repository:tag@digest`. */
interface Image {
  /** `ghcr.io` or `localhost:5000`; undefined where the reference leaves it to the node. */
  readonly registry: string | undefined
  /** `example/inference-gateway`. */
  readonly repository: string
  readonly tag: string | undefined
  /** `sha256:` and 64 hexadecimal digits. */
  readonly digest: string | undefined
}

const host = '(?:[A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9-]*[A-Za-z0-9])'
const component = '[a-z0-9]+(?:(?:\\.|_{1,2}|-+)[a-z0-9]+)*'
const grammar = new RegExp(
  `^(?:(${host}(?:\\.${host})*(?::\\d+)?|\\[[0-9a-fA-F:]+\\](?::\\d+)?)/)?(${component}(?:/${component})*)(?::([\\w][\\w.-]{0,127}))?(?:@(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}))?$`,
)

/**
 * Reads an image reference. Source: the grammar of github.com/distribution/reference.
 * @returns undefined when it is none, such as one with capital letters in the repository or a digest of the wrong length
 */
export function parseImage(reference: string): Image | undefined {
  const match = grammar.exec(reference)
  if (match === null) return undefined
  const [, first, rest = '', tag, digest] = match
  // The first part is a registry only if it could not be the name of an account.
  const isRegistry = first !== undefined && /[.:A-Z]|^localhost$/.test(first)
  if (first !== undefined && !isRegistry && !new RegExp(`^${component}$`).test(first)) return undefined
  const repository = isRegistry || first === undefined ? rest : `${first}/${rest}`
  return { registry: isRegistry ? first : undefined, repository, tag, digest }
}
