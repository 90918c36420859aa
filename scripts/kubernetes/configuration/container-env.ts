import type { Environment } from '#kubernetes/model/environment.ts'
import { at, fields, items, type KubeObject, text, type Value } from '#kubernetes/model/objects.ts'
import type { Container } from '#kubernetes/model/workloads.ts'
import { resolve } from '#kubernetes/references/resolve.ts'

/** The environment variables of a container, as far as the render shows them. */
interface ContainerEnvironment {
  /** Values by name; undefined for a variable whose value only the cluster knows (a Secret's, a field of the pod). */
  readonly variables: ReadonlyMap<string, string | undefined>
  /** Whether these are all; false when it reads all keys of a ConfigMap or Secret whose keys are not known. */
  readonly complete: boolean
}

/**
 * Resolves a container's environment as the kubelet does: `envFrom` in its order, then `env`, where a later name replaces an earlier one
 * and `$(NAME)` is replaced by a variable defined before.
 */
export function containerEnv(environment: Environment, object: KubeObject, container: Container): ContainerEnvironment {
  const { namespace } = object
  const variables = new Map<string, string | undefined>()
  let complete = true
  for (const source of items(at(container.raw, 'envFrom'))) {
    const prefix = text(at(source, 'prefix')) ?? ''
    for (const [kind, field] of [
      ['ConfigMap', 'configMapRef'],
      ['Secret', 'secretRef'],
    ] as const) {
      const name = text(at(source, field, 'name'))
      if (name === undefined) continue
      const target = resolve(environment, kind, namespace, name)
      const keys = typeof target === 'object' ? target.keys : undefined
      if (keys === undefined) complete = false
      const data = kind === 'ConfigMap' ? at(environment.find(kind, namespace, name)?.raw, 'data') : undefined
      for (const key of keys ?? []) variables.set(prefix + key, text(fields(data)[key]))
    }
  }
  for (const { name, value, raw } of container.env) {
    const known = value === undefined ? fromConfigMap(environment, namespace, raw) : expand(value, variables)
    variables.set(name, known)
  }
  return { variables, complete }
}

function fromConfigMap(environment: Environment, namespace: string, raw: Value): string | undefined {
  const valueFrom = at(raw, 'valueFrom')
  // A variable without any value is the empty string.
  if (valueFrom === undefined) return ''
  const name = text(at(valueFrom, 'configMapKeyRef', 'name'))
  const key = text(at(valueFrom, 'configMapKeyRef', 'key'))
  if (name === undefined || key === undefined) return undefined
  return text(at(environment.find('ConfigMap', namespace, name)?.raw, 'data', key))
}

/** `$$` is a literal dollar; `$(NAME)` refers to a variable. Source: k8s.io/kubernetes/third_party/forked/golang/expansion. */
const syntax = /\$\$|\$\(([^)]*)\)/g

/** The names that a text refers to by `$(NAME)`. */
export function variableReferences(value: string): string[] {
  return [...value.matchAll(syntax)].flatMap(([, name]) => name ?? [])
}

/** Puts in the values of `$(NAME)`; one that is not defined stays as it is written. Undefined when a value is not known. */
export function expand(value: string, variables: ReadonlyMap<string, string | undefined>): string | undefined {
  let known = true
  const expanded = value.replace(syntax, (whole, name: string | undefined) => {
    if (name === undefined) return '$'
    if (!variables.has(name)) return whole
    const found = variables.get(name)
    if (found === undefined) known = false
    return found ?? ''
  })
  return known ? expanded : undefined
}
