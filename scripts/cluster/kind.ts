import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import type { ProcessOutput } from 'zx/core'
import { UsageError } from '#cli/errors.ts'
import { callEngine, type Engine } from '#system/container-engine.ts'
import { $, complaint, withInput } from '#system/shell.ts'
import { tool } from '#system/tools.ts'
import { clusterName } from './client.ts'

/** The node container of a kind cluster with one node. */
const nodeContainer = `${clusterName}-control-plane`
/** A file in the node container that distinguishes a cluster of `npm run up` from one that someone created by hand. */
const mark = '/etc/made-by-npm-run-up'

/** Ports of 127.0.0.1 that lead into the cluster. */
export interface Ports {
  readonly http: number
  readonly https: number
}

/** Whether the cluster exists, and whose it is: created by `npm run up`, or by someone else under the same name. */
type Standing = 'absent' | 'ours' | 'foreign'

/** Runs the pinned kind with the engine. */
async function kind(engine: Engine, args: readonly string[], input?: string): Promise<ProcessOutput> {
  const env = { ...process.env, KIND_EXPERIMENTAL_PROVIDER: engine.program }
  const program = await tool('kind')
  return input === undefined ? $({ env })`${program} ${args}` : withInput(input, env)`${program} ${args}`
}

/** @throws UsageError with what kind printed when it cannot list its clusters */
export async function standing(engine: Engine): Promise<Standing> {
  const listed = await kind(engine, ['get', 'clusters'])
  if (!listed.ok) throw new UsageError(`kind cannot list its clusters:\n${complaint(listed)}`)
  if (!listed.stdout.split('\n').includes(clusterName)) return 'absent'
  // `cp` also reads a container that is stopped.
  const marked = await $`${engine.program} cp ${nodeContainer}:${mark} -`
  return marked.ok ? 'ours' : 'foreign'
}

/**
 * Creates the cluster of argocd/kind/cluster.yaml. Node image: KIND_NODE_IMAGE, or kind's default.
 * @throws UsageError with what kind printed
 */
export async function createCluster(root: string, engine: Engine, ports: Ports): Promise<void> {
  const image = process.env.KIND_NODE_IMAGE
  const options = ['--name', clusterName, '--config', '-', '--wait', '120s', ...(image ? ['--image', image] : [])]
  const created = await kind(engine, ['create', 'cluster', ...options], clusterConfig(root, ports))
  if (!created.ok) throw new UsageError(`kind could not create the cluster:\n${complaint(created)}`)
  await callEngine(engine, 'exec', nodeContainer, 'touch', mark)
}

/** cluster.yaml with the ports of this machine. */
function clusterConfig(root: string, ports: Ports): string {
  type Config = { nodes: { extraPortMappings: { hostPort: number; containerPort: number }[] }[] }
  const config = parse(readFileSync(join(root, 'argocd/kind/cluster.yaml'), 'utf8')) as Config
  for (const mapping of config.nodes.flatMap((node) => node.extraPortMappings))
    mapping.hostPort = mapping.containerPort === 30443 ? ports.https : ports.http
  return stringify(config)
}

/** Starts the node if it is stopped, as after a restart of the machine. Gives whether it had to. */
export async function startNode(engine: Engine): Promise<boolean> {
  const running = await callEngine(engine, 'inspect', '--format', '{{.State.Running}}', nodeContainer)
  if (running === 'true') return false
  await callEngine(engine, 'start', nodeContainer)
  return true
}

/** Runs a program in the node, as root. @throws UsageError with what it printed when it fails */
export async function runInNode(engine: Engine, ...command: readonly string[]): Promise<string> {
  const answer = await $`${engine.program} exec ${nodeContainer} ${command}`
  if (!answer.ok) throw new UsageError(`${command.join(' ')} failed in ${nodeContainer}: ${complaint(answer)}`)
  return answer.stdout.trim()
}

/** The ports that the cluster was created with. */
export async function publishedPorts(engine: Engine): Promise<Ports> {
  const port = async (inside: number) => {
    const published = await callEngine(engine, 'port', nodeContainer, String(inside))
    return Number(published.split('\n')[0]?.split(':').at(-1))
  }
  return { http: await port(30080), https: await port(30443) }
}

/** Writes the context `kind-inference` into the kubeconfig again. */
export async function exportKubeconfig(engine: Engine): Promise<void> {
  const exported = await kind(engine, ['export', 'kubeconfig', '--name', clusterName])
  if (!exported.ok) throw new UsageError(`kind could not write the kubeconfig:\n${complaint(exported)}`)
}

export async function deleteCluster(engine: Engine): Promise<void> {
  const deleted = await kind(engine, ['delete', 'cluster', '--name', clusterName])
  if (!deleted.ok) throw new UsageError(`kind could not delete the cluster:\n${complaint(deleted)}`)
}

/** Image id by name, as the node's container runtime lists them. */
export async function nodeImages(engine: Engine): Promise<Map<string, string>> {
  const { images } = JSON.parse(await runInNode(engine, 'crictl', 'images', '--output', 'json')) as {
    images: { id: string; repoTags?: string[] }[]
  }
  return new Map(images.flatMap(({ id, repoTags = [] }) => repoTags.map((tag) => [tag, id])))
}

/** Copies images from the engine into the node. @param archive a file to pass them in, which is overwritten */
export async function loadImages(engine: Engine, images: readonly string[], archive: string): Promise<void> {
  // Without the option, Podman writes one image per file.
  const several = engine.program === 'podman' ? ['--multi-image-archive'] : []
  await callEngine(engine, 'save', ...several, '--output', archive, ...images)
  const loaded = await kind(engine, ['load', 'image-archive', archive, '--name', clusterName])
  if (!loaded.ok) throw new UsageError(`kind could not load the images: ${complaint(loaded)}`)
}
