import { at, fields } from '#kubernetes/model/objects.ts'
import { add, broken, type MutationClass, refused, rewrite, type Seed, set } from './mutation.ts'

const old: Readonly<Record<string, string>> = {
  PodDisruptionBudget: 'policy/v1beta1',
  HorizontalPodAutoscaler: 'autoscaling/v2beta2',
  CronJob: 'batch/v1beta1',
  Deployment: 'extensions/v1beta1',
  StatefulSet: 'apps/v1beta1',
  NetworkPolicy: 'extensions/v1beta1',
}

/** One object per kind is enough where a fault is independent of the object. */
const onePerKind = (seed: (object: Parameters<typeof set>[0]) => Iterable<ReturnType<typeof set>>): Seed =>
  function* (environment) {
    const seen = new Set<string>()
    for (const object of environment.objects) {
      if (seen.has(object.kind)) continue
      seen.add(object.kind)
      yield* seed(object)
    }
  }

export const syntax: readonly MutationClass[] = [
  refused(
    'removed-version',
    'The API server no longer serves this version.',
    onePerKind(function* (object) {
      const version = old[object.kind]
      if (version !== undefined) yield set(object, ['apiVersion'], version)
    }),
  ),
  refused(
    'kind-misspelt',
    'The API server serves no such kind.',
    onePerKind((object) => rewrite(object, ['kind'], (kind) => `${kind}s`)),
  ),
  refused(
    'field-unknown',
    'The API server rejects, or silently drops, an unknown field.',
    onePerKind(function* (object) {
      if (object.raw.spec !== undefined) yield set(object, ['spec', 'replica'], 3)
    }),
  ),
  refused(
    'type-wrong',
    'The field has a different type.',
    onePerKind(function* (object) {
      for (const [name, value] of Object.entries(fields(object.raw.spec)).slice(0, 2))
        yield set(object, ['spec', name], typeof value === 'object' ? 'many' : { of: 'them' })
    }),
  ),
  refused(
    'name-invalid',
    'A name must not contain uppercase letters or underscores.',
    onePerKind(function* (object) {
      yield set(object, ['metadata', 'name'], `My_${object.name}`)
    }),
  ),
  broken('object-twice', 'The last one applied wins.', function* (environment) {
    for (const kind of ['Service', 'ConfigMap', 'Deployment', 'NetworkPolicy'])
      for (const object of environment.ofKind(kind).slice(0, 3))
        yield add({ ...object.raw, metadata: { ...fields(at(object.raw, 'metadata')), annotations: { copy: 'true' } } })
  }),
]
