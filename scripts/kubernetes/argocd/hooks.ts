import type { KubeObject } from '#kubernetes/model/objects.ts'

/** Whether Argo CD or Helm deletes the object when its time has come: a hook with a policy, or by the default of both, before the next one. */
export function isDeletedByHook({ annotations }: KubeObject): boolean {
  return annotations['argocd.argoproj.io/hook'] !== undefined || annotations['helm.sh/hook'] !== undefined
}
