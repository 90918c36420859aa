import { join } from 'node:path'
import { parseCommandLine, runCommand } from '#cli/command-line.ts'
import { exit, UsageError } from '#cli/errors.ts'
import { root } from '#cli/paths.ts'
import { startProgress, waitUntil } from '#cli/progress.ts'
import { applicationState, endOtherSync, missingFor, refresh, startSync } from '#cluster/argo.ts'
import { type Cluster, clusterContext, clusterName, connectCluster, environmentNamespace } from '#cluster/client.ts'
import { diagnose } from '#cluster/diagnose.ts'
import { pushToCluster, workingCommit } from '#cluster/git-server.ts'
import { buildServices, imagesOf, provideImages, services } from '#cluster/images.ts'
import {
  createCluster,
  deleteCluster,
  exportKubeconfig,
  type Ports,
  publishedPorts,
  standing,
  startNode,
} from '#cluster/kind.ts'
import { assertPortFree, type Engine, findEngine, freeBytes, lacks } from '#cluster/machine.ts'
import { applyManifests, imagesIn, platform, renderPlatform } from '#cluster/platform.ts'
import { askChat, gatewayHost, makeApiKey } from '#cluster/request.ts'
import { takeSnapshot } from '#cluster/snapshot.ts'
import { runsSinceBefore, unreadyWorkloads } from '#cluster/workloads.ts'
import { run } from '#system/process.ts'
import { tool } from '#system/tools.ts'

const usage = `usage: npm run up [-- --http-port 8080] [--https-port 8443]

Creates a kind cluster on this machine, with docker or podman, and runs the platform in it: builds the images of the services,
installs Argo CD, KEDA, Prometheus, Traefik and metrics-server, and lets Argo CD sync overlays/kind at the commit of the
working tree. Then sends a request and prints all addresses. Run again, it repairs what is missing and syncs what has changed.

  --http-port N    port of 127.0.0.1 for http, which redirects to https (default 8080); used only when the cluster is created
  --https-port N   port of 127.0.0.1 for https (default 8443); likewise

  CONTAINER_ENGINE   docker or podman, where both are available
  KIND_NODE_IMAGE    the node's image, instead of kind's own

Images that the engine has are copied into the node; the node pulls the others. npm run down removes everything.`

const progress = startProgress()
const platformNamespaces = ['argocd', 'keda', 'monitoring', 'traefik', 'kube-system']

await runCommand(async () => {
  const { values } = parseCommandLine(
    usage,
    {
      'http-port': { type: 'string', default: '8080' },
      'https-port': { type: 'string', default: '8443' },
    },
    { ok: 'the platform runs' },
  )
  const wanted = { http: portNumber(values['http-port']), https: portNumber(values['https-port']) }
  const began = Date.now()
  const engine = await checkMachine()
  const ports = await ensureCluster(engine, wanted)
  const cluster = await connectCluster(clusterContext)
  await stepBuild(engine)
  const loaded = await installPlatform(cluster, engine)
  const loadedAt = new Date()
  await makeSecrets()
  await syncEnvironment(cluster)
  await restartRebuilt(cluster, loaded, loadedAt)
  const key = await request(cluster, ports)
  process.stdout.write(welcome(ports, key, Math.round((Date.now() - began) / 1000)))
  return exit.ok
})

async function checkMachine(): Promise<Engine> {
  let engine: Engine | undefined
  await progress.step('machine', async () => {
    engine = await findEngine()
    const problems = lacks(engine)
    if (problems.length > 0) throw new UsageError(`this machine cannot hold the cluster:\n  ${problems.join('\n  ')}`)
    for (const name of ['kind', 'kubectl', 'kustomize'] as const) {
      progress.waiting([`${name}, from PATH, .tools/ or upstream`])
      await tool(name)
    }
    const free = freeBytes(engine.folder)
    const disk = free === undefined ? '' : `, ${(free / 1e9).toFixed(0)} GB free`
    return `${engine.program} ${engine.version}, ${engine.cores} cores, ${(engine.memoryBytes / 2 ** 30).toFixed(0)} GiB${disk}`
  })
  return engine as Engine
}

/** Makes the cluster, or starts the one that is there. Gives the ports it has. */
async function ensureCluster(engine: Engine, wanted: Ports): Promise<Ports> {
  let ports = wanted
  await progress.step('cluster', async () => {
    const found = await standing(engine)
    if (found === 'foreign')
      throw new UsageError(
        `there is a kind cluster "${clusterName}" that npm run up did not make (or did not finish). If nobody needs it: kind delete cluster --name ${clusterName}`,
      )
    if (found === 'ours') {
      const started = await startNode(engine)
      await exportKubeconfig(engine)
      await waitUntil(progress, 90, apiServerAnswers)
      ports = await publishedPorts(engine)
      return started ? 'was stopped and runs again' : 'is there'
    }
    await assertPortFree(wanted.http, '--http-port')
    await assertPortFree(wanted.https, '--https-port')
    progress.waiting([
      `kind to start a node (${process.env.KIND_NODE_IMAGE ?? 'the image that kind brings; the first time it is pulled'})`,
    ])
    const undo = () => void deleteCluster(engine).finally(() => process.exit(exit.usage))
    process.once('SIGINT', undo)
    await createCluster(root, engine, wanted)
    process.removeListener('SIGINT', undo)
    return `${clusterName} made; kubectl context ${clusterContext}`
  })
  return ports
}

async function apiServerAnswers(): Promise<string[]> {
  const answer = await connectCluster(clusterContext)
    .then((cluster) => cluster.get('/version'))
    .catch((error: Error) => error)
  return answer instanceof Error ? [`the API server: ${answer.message}`] : []
}

async function stepBuild(engine: Engine): Promise<void> {
  await progress.step('services', async () => {
    const built = await buildServices(root, engine, progress)
    return built.length === 0 ? 'are built of these sources already' : `${built.join(', ')} built`
  })
}

/** Gives the images that it had to load into the node. */
async function installPlatform(cluster: Cluster, engine: Engine): Promise<string[]> {
  const manifests: string[] = []
  await progress.step('rendering', async () => {
    for (const folder of platform) {
      progress.waiting([`kustomize to build ${folder}`])
      manifests.push(await renderPlatform(root, folder))
    }
    return `${platform.length} parts of the platform`
  })
  let loaded: string[] = []
  await progress.step('images', async () => {
    const wanted = [...new Set([...manifests.flatMap(imagesIn), ...Object.values(imagesOf(root, 'kind'))])]
    loaded = await provideImages(engine, wanted, progress)
    return loaded.length === 0 ? 'the node has them, or pulls them' : `${loaded.length} loaded into the node`
  })
  await progress.step('platform', async () => {
    for (const [index, folder] of platform.entries()) {
      progress.waiting([`the API server to take ${folder}`])
      await applyManifests(cluster, manifests[index] ?? '', progress)
    }
    await waitUntil(progress, 300, () => unreadyPods(cluster, platformNamespaces))
    return 'Argo CD, KEDA, Prometheus, Traefik, metrics-server'
  })
  return loaded
}

/** Deployments and StatefulSets that are not wholly ready, each with the reason. */
async function unreadyPods(cluster: Cluster, namespaces: readonly string[]): Promise<string[]> {
  const snapshot = await takeSnapshot(cluster)
  const unready = unreadyWorkloads(snapshot).filter(({ namespace }) => namespaces.includes(namespace))
  const problems = diagnose({ ...snapshot, applications: [] })
  return unready.map(({ namespace, name, ready, wanted }) => {
    const reason = problems.find(
      (problem) => problem.namespace === namespace && problem.object.includes(`${namespace}/${name}`),
    )
    return `${namespace}/${name} ${ready}/${wanted} ready${reason === undefined ? '' : `: ${reason.what}`}`
  })
}

async function makeSecrets(): Promise<void> {
  await progress.step('secrets', async () => {
    const outcome = await run(process.execPath, [
      join(root, 'scripts/run.mjs'),
      'secrets',
      'kind',
      '--context',
      clusterContext,
    ])
    if (outcome.code !== 0) throw new UsageError(outcome.stderr.trim().replace(/^error: /, ''))
    const made = outcome.stdout.split('\n').filter((line) => line.endsWith(' made')).length
    return made === 0 ? 'are there' : `${made} made`
  })
}

async function syncEnvironment(cluster: Cluster): Promise<void> {
  await progress.step('sync', async () => {
    const { commit, uncommitted } = await workingCommit(root)
    progress.waiting([`git push of ${commit.slice(0, 10)} to the git server in the cluster`])
    await pushToCluster(cluster, root, commit)
    await applyManifests(cluster, await renderPlatform(root, 'argocd/kind/environment'), progress)
    await endOtherSync(cluster, environmentNamespace, commit)
    await refresh(cluster, environmentNamespace)
    const before = await applicationState(cluster, environmentNamespace)
    const failed = before.phase === 'Failed' || before.phase === 'Error'
    if (failed && before.phaseRevision === commit) await startSync(cluster, environmentNamespace, commit)
    await waitUntil(progress, 600, () => missingFor(cluster, environmentNamespace, environmentNamespace, commit))
    return `${commit.slice(0, 10)}${uncommitted ? ', with the uncommitted changes of the working tree,' : ''} Synced and Healthy`
  })
}

/** A pod keeps the image it was started with, also when its tag now names another build. */
async function restartRebuilt(cluster: Cluster, loaded: readonly string[], since: Date): Promise<void> {
  const images = imagesOf(root, 'kind')
  const rebuilt = services.filter((service) => loaded.includes(images[service] ?? ''))
  const pods = await cluster.list(`/api/v1/namespaces/${environmentNamespace}/pods`)
  const old = rebuilt.filter((service) => runsSinceBefore(pods, service, since))
  if (old.length === 0) return
  await progress.step('rollout', async () => {
    for (const service of old) {
      await cluster.kubectl(['--namespace', environmentNamespace, 'rollout', 'restart', `deployment/${service}`])
      await cluster.kubectl([
        '--namespace',
        environmentNamespace,
        'rollout',
        'status',
        `deployment/${service}`,
        '--timeout=180s',
      ])
    }
    return `${old.join(', ')} run the new build`
  })
}

async function request(cluster: Cluster, ports: Ports): Promise<string> {
  let key = ''
  await progress.step('request', async () => {
    progress.waiting(['the gateway to make an API key'])
    key = await makeApiKey(cluster, 'demo', { name: 'npm run up' })
    progress.waiting(['the answer: gateway, broker, a worker that KEDA starts, Ollama'])
    const { text, ms } = await askChat(cluster, ports.https, key, 'What can I cook with lentils?')
    return `answered in ${(ms / 1000).toFixed(1)} s: ${JSON.stringify(text.slice(0, 70))}`
  })
  return key
}

function welcome(ports: Ports, key: string, seconds: number): string {
  const url = `https://${gatewayHost}:${ports.https}`
  return `
Up after ${seconds} s.

  recipes      ${url}/                (the certificate is self-signed)
  OpenAPI      ${url}/openapi.json
  API key      ${key}
  Argo CD      kubectl --context ${clusterContext} -n argocd port-forward svc/argocd-server 8081:443   then https://localhost:8081
  Prometheus   kubectl --context ${clusterContext} -n monitoring port-forward svc/prometheus-operated 9090:9090

  curl --insecure ${url}/v1/chat/completions -H 'Authorization: Bearer ${key}' -H 'Content-Type: application/json' \\
    -d '{"model": "tiny-chat:latest", "messages": [{"role": "user", "content": "What can I cook?"}]}'

  npm run doctor   says what is wrong when something is
  npm run e2e      tries the platform: faults, load, scaling, rollout
  npm run up       after a change: builds, commits to the cluster's git server, syncs
  npm run down     removes all of it

`
}

function portNumber(text: string): number {
  const port = Number(text)
  if (!Number.isInteger(port) || port < 1 || port > 65535)
    throw new UsageError(`a port is 1 to 65535, not "${text}"\n\n${usage}`)
  return port
}
