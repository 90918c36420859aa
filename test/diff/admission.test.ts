import { beforeAll, describe, expect, it } from 'vitest'
import { at, type KubeObject } from '#kubernetes/model/objects.ts'
import { admissionProgramsMissing, findPrograms } from '#validation/admission.ts'
import {
  addressOf,
  definitionsServed,
  type Reply,
  type ServedKind,
  withApiServer,
} from '#validation/api-server/server.ts'
import { type Case, cases } from './cases.ts'

const missing = await admissionProgramsMissing()
if (missing !== undefined) {
  process.stderr.write(`\ntest/diff/admission.test.ts DOES NOT RUN. ${missing}\n\n`)
  if (process.env.CI) throw new Error(missing)
}

/** The cases in which one object is changed under its own name: these can be verified with a server. */
const verifiable = cases.filter(
  ({ before: [old], after: [now], action }) => old && now && old.name === now.name && action !== undefined,
)

/** How the server answers a change of an existing object. */
interface Answer {
  readonly created: Reply
  readonly changed: Reply
}

const answers = new Map<Case, Answer>()

describe.skipIf(missing)('a real API server', () => {
  beforeAll(async () => {
    const programs = await findPrograms()
    if (typeof programs === 'string') throw new Error(programs)
    await withApiServer(programs, async (server) => {
      const { send } = server
      await send('POST', '/api/v1/namespaces', { metadata: { name: 'shop' } })
      const served = await server.kinds()
      const address = (object: KubeObject) => {
        const kind = served.find(
          (one) => one.apiVersion === object.apiVersion && one.kind === object.kind,
        ) as ServedKind
        return addressOf(kind, object.namespace, object.name)
      }
      const apply = (object: KubeObject, dryRun = '') =>
        send(
          'PATCH',
          `${address(object)}?fieldManager=argocd-controller&force=true${dryRun}`,
          object.raw,
          'application/apply-patch+yaml',
        )
      for (const one of verifiable) {
        const [before, after] = [one.before[0] as KubeObject, one.after[0] as KubeObject]
        const created = await apply(before)
        if (before.kind === 'CustomResourceDefinition') await definitionsServed(server)
        // A claim grows only once it is bound, to a volume whose class allows it: a controller's work, done manually here.
        if (before.kind === 'PersistentVolumeClaim') await bind(send, address(before))
        answers.set(one, { created, changed: await apply(after, '&dryRun=All') })
        await send('DELETE', `${address(before)}?gracePeriodSeconds=0&propagationPolicy=Background`)
        // Finalizers of volumes and claims are a controller's work, too.
        await send('PATCH', address(before), { metadata: { finalizers: null } }, 'application/merge-patch+json')
      }
    })
  }, 120_000)

  it.each(verifiable.map((one) => [one.name, one] as const))('%s', (_, one) => {
    const { created, changed } = answers.get(one) as Answer
    expect(at(created.body, 'message'), 'the object as it was').toBeUndefined()
    const message = String(at(changed.body, 'message'))
    if (one.action === 'replace') expect(message).toMatch(/immutable|forbidden|may not|cannot/i)
    else if (!one.before[0]?.annotations['argocd.argoproj.io/hook']) expect(changed.status, message).toBe(200)
  })
})

async function bind(
  send: (method: string, path: string, body?: object, type?: string) => Promise<Reply>,
  address: string,
): Promise<void> {
  const grows = { provisioner: 'example.com/disk', allowVolumeExpansion: true }
  await send('POST', '/apis/storage.k8s.io/v1/storageclasses', { metadata: { name: 'ssd' }, ...grows })
  await send('PATCH', address, { spec: { volumeName: 'disk' } }, 'application/merge-patch+json')
  const status = { phase: 'Bound', capacity: { storage: '10Gi' }, accessModes: ['ReadWriteOnce'] }
  await send('PATCH', `${address}/status`, { status }, 'application/merge-patch+json')
}
