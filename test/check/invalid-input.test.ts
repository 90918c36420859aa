import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { Finding } from '#kubernetes/model/finding.ts'
import { project, runCommand, scratchRepository } from '../support/repository.ts'

/** A fault in a file of this repository, and what the check has to say of it in production. */
interface Fault {
  readonly file: string
  readonly right: string
  readonly wrong: string
  readonly rule: string
  readonly kind: string
  /** What the line holds that is shown; without it the one that was changed. */
  readonly shown?: string
  readonly fix: RegExp
}

const faults: readonly Fault[] = [
  {
    file: 'base/gateway/service.yaml',
    right: 'targetPort: http',
    wrong: 'targetPort: htp',
    rule: 'service-target-port',
    kind: 'Service',
    fix: /targetPort/,
  },
  {
    file: 'base/gateway/gateway.env',
    right: 'redis://redis:',
    wrong: 'redis://rdis:',
    rule: 'address-resolves',
    kind: 'ConfigMap',
    fix: /REDIS_URL/,
  },
  {
    file: 'base/rabbitmq/topology.json',
    right: '"x-queue-type": "quorum"',
    wrong: '"x-queue-type": "classic"',
    rule: 'rabbitmq-queue-safe',
    kind: 'ConfigMap',
    // A file that a ConfigMap holds as a whole is one value, which begins here.
    shown: '{',
    fix: /x-queue-type to quorum in topology\.json/,
  },
  {
    file: 'base/network/gateway-to-redis.yaml',
    right: 'port: 6379',
    wrong: 'port: 6380',
    rule: 'network-policy-port-exists',
    kind: 'NetworkPolicy',
    fix: /port/,
  },
  {
    file: 'components/gpu-nvidia/kustomization.yaml',
    right: 'REQUIRE_GPU=true',
    wrong: 'REQUIRE_GPU=maybe',
    rule: 'program-configured',
    kind: 'ConfigMap',
    fix: /REQUIRE_GPU/,
  },
  {
    file: 'components/gpu-nvidia/ollama.yaml',
    right: 'key: nvidia.com/gpu',
    wrong: 'key: nvidia.com/gpus',
    rule: 'gpu-placement',
    kind: 'StatefulSet',
    shown: 'tolerations:',
    fix: /nvidia\.com\/gpu,/,
  },
  {
    file: 'overlays/prod/worker.yaml',
    right: 'memory: 256Mi',
    wrong: 'memory: 64Mi',
    rule: 'limits-cover-requests',
    kind: 'Deployment',
    shown: 'memory: 128Mi',
    fix: /128Mi/,
  },
  {
    file: 'overlays/prod/environment.yaml',
    right: 'maxReplicas: 10\n',
    wrong: 'maxReplicas: 3\n',
    rule: 'scaler-bounds',
    kind: 'HorizontalPodAutoscaler',
    fix: /maxReplicas/,
  },
  {
    file: 'base/worker/scaled-object.yaml',
    right: 'rabbitmq.inference.svc.cluster.local:15672/',
    wrong: 'rabbitmq.inference.svc.cluster.local:15673/',
    rule: 'keda-trigger-address',
    kind: 'ScaledObject',
    fix: /15672/,
  },
]

/** A finding as the JSON report has it. */
interface Reported extends Omit<Finding, 'path'> {
  readonly path: string
}

/** The findings of the check in production once all the faults are in a copy of the repository. */
function findingsOfFaults(): readonly Reported[] {
  const folder = scratchRepository({})
  for (const part of ['base', 'components', 'overlays', 'check.yaml'])
    cpSync(join(project, part), join(folder, part), { recursive: true })
  for (const { file, right, wrong } of faults) {
    const content = readFileSync(join(folder, file), 'utf8')
    expect(content).toContain(right)
    writeFileSync(join(folder, file), content.replace(right, wrong))
  }
  const { stdout, code } = runCommand(folder, ['check', 'prod', '--format', 'json'])
  expect(code, stdout).toBe(1)
  return JSON.parse(stdout).targets.flatMap((target: { findings: Reported[] }) => target.findings)
}

it('faults in the files of this repository are found with object, path, file, line and fix', () => {
  const findings = findingsOfFaults()
  for (const { file, wrong, rule, kind, shown, fix } of faults) {
    const found = findings.find((finding) => finding.rule === rule && finding.object?.startsWith(`${kind} `))
    expect.soft(found?.source?.file, wrong).toBe(file)
    expect.soft(found?.source?.text, wrong).toContain((shown ?? wrong).trim())
    expect.soft(found?.fix, wrong).toMatch(fix)
  }
  for (const { rule, object, path, source, message, fix } of findings) {
    const what = `${rule}: ${object}: ${message}`
    expect.soft(object, what).toMatch(/^\w+ \S+$/)
    expect.soft(path, what).toMatch(/\w/)
    expect.soft(source?.file, what).toMatch(/^(?:base|components|overlays)\//)
    expect.soft(source?.line, what).toBeGreaterThan(0)
    for (const words of [message, fix]) expect.soft(words, what).toMatch(/\w/)
  }
})
