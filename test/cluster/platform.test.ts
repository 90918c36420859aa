import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { restartingOnChange } from '#cluster/platform.ts'
import { at } from '#kubernetes/model/objects.ts'

const configMap = (value: string) => `
apiVersion: v1
kind: ConfigMap
metadata:
  name: parameters
data:
  delay: "${value}"
`
const workload = (kind: string, reference: string) => `
apiVersion: apps/v1
kind: ${kind}
metadata:
  name: controller
spec:
  template:
    spec:
      containers:
        - name: controller
          ${reference}
`
const variable = 'env: [{ name: DELAY, valueFrom: { configMapKeyRef: { name: parameters, key: delay } } }]'
const whole = 'envFrom: [{ configMapRef: { name: parameters } }]'
const other = 'env: [{ name: DELAY, valueFrom: { configMapKeyRef: { name: others, key: delay } } }]'

function annotationOf(kind: string, reference: string, value: string): unknown {
  const [, changed = ''] = restartingOnChange([configMap(value), workload(kind, reference)])
  return at(parse(changed), 'spec', 'template', 'metadata', 'annotations', 'inference-platform/configuration')
}

describe('pods of the platform', () => {
  it.each([
    ['Deployment', variable],
    ['StatefulSet', whole],
  ])('of a %s restart when what they read at their start changes', (kind, reference) => {
    const before = annotationOf(kind, reference, '2')
    expect(before).toMatch(/^[0-9a-f]{16}$/)
    expect(annotationOf(kind, reference, '2')).toBe(before)
    expect(annotationOf(kind, reference, '0')).not.toBe(before)
  })

  it('are left alone where they read nothing of it, as are other objects', () => {
    const documents = [configMap('2'), workload('Deployment', other), workload('Service', variable)]
    expect(restartingOnChange(documents)).toEqual(documents)
  })
})
