/** An object that exists in the cluster without being rendered, as `check.yaml` declares it. */
export interface Provided {
  readonly kind: string
  readonly name: string
  /** The keys of a Secret or ConfigMap; absent means that any key may be read. */
  readonly keys?: readonly string[]
  /** The environments it exists in; absent means all. */
  readonly environments?: readonly string[]
  /** Who makes it. */
  readonly by: string
}
