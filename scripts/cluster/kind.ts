import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import { UsageError } from '#cli/errors.ts'
import { type Outcome, run } from '#system/process.ts'
import { tool } from '#system/tools.ts'
import { clusterName } from './client.ts'
import type { Engine } from './machine.ts'

/** The node container of a kind cluster with one node. */
const nodeContainer = `${clusterName}-control-plane`
/** A file in the node container by which a cluster of ours is known from one that someone made by hand. */
const mark = '/etc/made-by-npm-run-up'

/** Ports of 127.0.0.1 that lead into the cluster. */
export interface Ports {
  readonly http: number
  readonly https: number
}

/** How the cluster stands: not there, ours, or someone else's of the same name. */
export type Standing = 'absent' | 'ours' | 'foreign'

/** Runs the pinned kind with the engine. */
async function kind(engine: Engine, args: readonly string[], input?: string): Promise<Outcome> {
  return run(await tool('kind'), args, input, { KIND_EXPERIMENTAL_PROVIDER: engine.program })
}

/** @throws UsageError when kind cannot tell, with what it said */
export async function standing(engine: Engine): Promise<Standing> {
  const { code: told, stdout, stderr } = await kind(engine, ['get', 'clusters'])
  if (told !== 0) throw new UsageError(`kind cannot list its clusters:\n${stderr.trim()}`)
  if (!stdout.split('\n').includes(clusterName)) return 'absent'
  // `cp` also reads a container that is stopped.
  const { code } = await run(engine.program, ['cp', `${nodeContainer}:${mark}`, '-'])
  return code === 0 ? 'ours' : 'foreign'
}

/**
 * Makes the cluster of argocd/kind/cluster.yaml. Node image: KIND_NODE_IMAGE, or the one this version of kind brings.
 * @throws UsageError with what kind said
 */
export async function createCluster(root: string, engine: Engine, ports: Ports): Promise<void> {
  const image = process.env.KIND_NODE_IMAGE
  const arguments_ = ['create', 'cluster', '--name', clusterName, '--config', '-', '--wait', '120s']
  const { code, stderr } = await kind(
    engine,
    image === undefined ? arguments_ : [...arguments_, '--image', image],
    clusterConfig(root, ports),
  )
  if (code !== 0) throw new UsageError(`kind could not make the cluster:\n${stderr.trim()}`)
  const marked = await run(engine.program, ['exec', nodeContainer, 'touch', mark])
  if (marked.code !== 0) throw new UsageError(`${engine.program} exec ${nodeContainer} failed: ${marked.stderr.trim()}`)
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
  const { stdout } = await run(engine.program, ['inspect', '--format', '{{.State.Running}}', nodeContainer])
  if (stdout.trim() === 'true') return false
  const { code, stderr } = await run(engine.program, ['start', nodeContainer])
  if (code !== 0) throw new UsageError(`the node ${nodeContainer} does not start: ${stderr.trim()}`)
  return true
}

/** Runs a program in the node, as root. @throws UsageError with what it said when it fails */
export async function runInNode(engine: Engine, ...command: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await run(engine.program, ['exec', nodeContainer, ...command])
  if (code !== 0) throw new UsageError(`${command.join(' ')} failed in ${nodeContainer}: ${stderr.trim()}`)
  return stdout.trim()
}

/** The ports that the cluster was made with. */
export async function publishedPorts(engine: Engine): Promise<Ports> {
  const port = async (inside: number) => {
    const { stdout } = await run(engine.program, ['port', nodeContainer, String(inside)])
    return Number(stdout.trim().split('\n')[0]?.split(':').at(-1))
  }
  return { http: await port(30080), https: await port(30443) }
}

/** Writes the context `kind-inference` into the kubeconfig again. */
export async function exportKubeconfig(engine: Engine): Promise<void> {
  await kind(engine, ['export', 'kubeconfig', '--name', clusterName])
}

export async function deleteCluster(engine: Engine): Promise<void> {
  const { code, stderr } = await kind(engine, ['delete', 'cluster', '--name', clusterName])
  if (code !== 0) throw new UsageError(`kind could not delete the cluster:\n${stderr.trim()}`)
}

/** Image id by name, as the node's container runtime lists them. */
export async function nodeImages(engine: Engine): Promise<Map<string, string>> {
  const { stdout } = await run(engine.program, ['exec', nodeContainer, 'crictl', 'images', '--output', 'json'])
  const { images } = JSON.parse(stdout) as { images: { id: string; repoTags?: string[] }[] }
  return new Map(images.flatMap(({ id, repoTags = [] }) => repoTags.map((tag) => [tag, id])))
}

/** Copies images from the engine into the node. @param archive a file to pass them in, which is overwritten */
export async function loadImages(engine: Engine, images: readonly string[], archive: string): Promise<void> {
  // Podman writes one image a file unless told.
  const several = engine.program === 'podman' ? ['--multi-image-archive'] : []
  const saved = await run(engine.program, ['save', ...several, '--output', archive, ...images])
  if (saved.code !== 0) throw new UsageError(`${engine.program} save failed: ${saved.stderr.trim()}`)
  const { code, stderr } = await kind(engine, ['load', 'image-archive', archive, '--name', clusterName])
  if (code !== 0) throw new UsageError(`kind could not load the images: ${stderr.trim()}`)
}
