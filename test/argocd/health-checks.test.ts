import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { LuaFactory } from 'wasmoon'
import { parse } from 'yaml'
import { root } from '#cli/paths.ts'

const { data } = parse(readFileSync(join(root, 'argocd/install/argocd-cm.yaml'), 'utf8')) as {
  data: Record<string, string>
}
const lua = new LuaFactory()

/** What Argo CD says of an object by the check of argocd-cm.yaml, which it runs as Lua with the object as `obj`. */
async function health(kind: string, status: object | undefined): Promise<{ status: string; message: string }> {
  const engine = await lua.createEngine()
  try {
    engine.global.set('obj', { ...(status && { status }) })
    return await engine.doString(data[`resource.customizations.health.${kind}`] ?? '')
  } finally {
    engine.global.close()
  }
}

const scaler = 'autoscaling_HorizontalPodAutoscaler'

function condition(type: string, status: 'True' | 'False', reason: string, secondsAgo = 0): object {
  const lastTransitionTime = new Date(Date.now() - secondsAgo * 1000).toISOString().replace(/\.\d+Z$/, 'Z')
  return { type, status, reason, message: `${type}: ${reason}`, lastTransitionTime }
}
const able = condition('AbleToScale', 'True', 'ReadyForNewScale', 3600)

it.each([
  ['before the controller has looked', undefined, 'Progressing'],
  ['that scales', [able, condition('ScalingActive', 'True', 'ValidMetricFound')], 'Healthy'],
  ['at its limit', [able, condition('ScalingLimited', 'False', 'DesiredWithinRange', 3600)], 'Healthy'],
  [
    'whose pods are not measured yet',
    [able, condition('ScalingActive', 'False', 'FailedGetResourceMetric', 240)],
    'Healthy',
  ],
  [
    'whose pods are never measured',
    [able, condition('ScalingActive', 'False', 'FailedGetResourceMetric', 360)],
    'Degraded',
  ],
  ['that cannot scale', [condition('AbleToScale', 'False', 'FailedGetScale', 360)], 'Degraded'],
  ['of a workload at zero', [able, condition('ScalingActive', 'False', 'ScalingDisabled', 3600)], 'Healthy'],
])('a HorizontalPodAutoscaler %s', async (_, conditions, expected) => {
  expect((await health(scaler, conditions && { conditions })).status).toBe(expected)
})

it('a HorizontalPodAutoscaler reports why it does not scale', async () => {
  const conditions = [able, condition('ScalingActive', 'False', 'FailedGetResourceMetric', 360)]
  expect((await health(scaler, { conditions })).message).toBe('ScalingActive: FailedGetResourceMetric')
})

it.each([
  ['before it is compared', undefined, 'Progressing'],
  ['that is healthy', { health: { status: 'Healthy' } }, 'Healthy'],
  ['that is not', { health: { status: 'Degraded', message: 'a pod crashes' } }, 'Degraded'],
])('an Application %s', async (_, status, expected) => {
  expect((await health('argoproj.io_Application', status)).status).toBe(expected)
})
