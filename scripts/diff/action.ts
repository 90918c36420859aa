/**
 * What Argo CD does with an object: `create` it, `update` it in place, `restart` its pods (an update of a pod template), `run` it once more (a hook),
 * `replace` it, because a field that differs cannot be changed, `prune` it, or `leave` it in the cluster, no longer managed.
 */
export type Action = 'create' | 'update' | 'restart' | 'run' | 'replace' | 'prune' | 'leave'
