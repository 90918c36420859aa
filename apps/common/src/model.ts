/** A model as in versions.yaml. */
export type ModelReference = {
  /** Ollama's `name:tag`. */
  name: string
  /** 64 hex digits, the digest that Ollama lists for it; undefined until it is locked. */
  digest: string | undefined
}

/** Splits `name:tag@sha256:<hex>` into name and digest. */
export function parseModel(reference: string): ModelReference {
  const [name = '', digest] = reference.split('@sha256:')
  return { name, digest }
}
