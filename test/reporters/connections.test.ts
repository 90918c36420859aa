import { expect, it } from 'vitest'
import { createEnvironment } from '#kubernetes/model/environment.ts'
import { mapOf } from '#kubernetes/topology/connection-map.ts'
import { readDocuments } from '#manifests/documents.ts'
import { reportConnections } from '#reporters/connections.ts'
import { runCommand, scratchRepository } from '../support/repository.ts'

const pod = (name: string, env = '[]') => `
apiVersion: v1
kind: Pod
metadata: {name: ${name}, namespace: shop, labels: {app: ${name}}}
spec: {containers: [{name: main, image: x, ports: [{containerPort: 80}], env: ${env}}]}
---
apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: shop}
spec: {selector: {app: ${name}}, ports: [{port: 80}]}
`
const calls = (name: string) => `[{name: URL, value: "http://${name}"}]`
const policy = (server: string, from: string) => `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: ${server}, namespace: shop}
spec: {podSelector: {matchLabels: {app: ${server}}}, ingress: [{from: [${from}]}]}
`
const manifests = [
  pod('allowed', calls('store')),
  pod('denied', calls('closed')),
  pod('undeclared'),
  pod('store'),
  pod('closed'),
  policy('store', '{podSelector: {matchExpressions: [{key: app, operator: In, values: [allowed, undeclared]}]}}'),
  policy('closed', '{podSelector: {matchLabels: {app: nobody}}}'),
  `
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: store, namespace: shop}
spec: {rules: [{backendRefs: [{name: store, port: 80}]}]}
`,
].join('---')

it('distinguishes allowed, denied, unknown and undeclared connections', () => {
  const environment = createEnvironment('shop', readDocuments(manifests, 'shop').objects)
  const target = { target: 'shop', objects: 0, findings: [], exempted: [], skippedRules: [], map: mapOf(environment) }
  const [, head, ...rows] = reportConnections({ targets: [target], rules: 0 }).split('\n')
  expect(head?.split(/ +/)).toEqual(['shop', 'closed', 'store'])
  const cells = Object.fromEntries(rows.map((row) => row.split(/ {2,}/)).map(([name, ...marks]) => [name, marks]))
  expect(cells).toMatchObject({
    allowed: ['.', '80'],
    denied: ['!80', '.'],
    undeclared: ['.', '+80'],
    'HTTPRoute controller': ['.', '?80'],
  })
  expect(reportConnections({ targets: [{ ...target, map: { components: [], flows: [] } }], rules: 0 })).toMatch(
    'no connections found',
  )
})

it('is appended to the text only', () => {
  const repository = scratchRepository({ 'shop.yaml': manifests })
  const printed = runCommand(repository, ['check', '--file', 'shop.yaml', '--connections']).stdout
  expect(printed).toMatch(/^undeclared +\. +\+80$/m)
  const mixed = runCommand(repository, ['check', '--file', 'shop.yaml', '--connections', '--format', 'json'])
  expect(mixed).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(/--output/) })
})
