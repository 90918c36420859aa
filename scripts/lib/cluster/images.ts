import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { parse } from 'yaml'
import { UsageError } from '../errors.ts'
import { run } from '../process.ts'
import { loadImages, nodeImages } from './kind.ts'
import type { Engine } from './machine.ts'
import type { Progress } from './progress.ts'

/** The services that are built from this repository. */
export const services = ['gateway', 'worker', 'collector'] as const
export type Service = (typeof services)[number]

/** Built images carry this label, so that `npm run down` finds them. */
const label = 'inference.example.com/built-by=npm-run-up'
/** Says of which sources an image was built. */
const sourcesLabel = 'inference.example.com/sources'

/** The images of an environment by the name that versions.yaml gives them. */
export function imagesOf(root: string, environment: string): Record<string, string> {
  const file = join(root, 'overlays', environment, 'versions.yaml')
  return (parse(readFileSync(file, 'utf8')) as { spec: { images: Record<string, string> } }).spec.images
}

/**
 * Builds the images of the services under the names of the environment, but for those that were built of the same sources before.
 * @returns the services that were built
 */
export async function buildServices(root: string, engine: Engine, progress: Progress): Promise<Service[]> {
  const images = imagesOf(root, 'kind')
  const built: Service[] = []
  for (const service of services) {
    const image = images[service] ?? ''
    const sources = fingerprint(root, service)
    const ask = ['image', 'inspect', '--format', `{{index .Config.Labels "${sourcesLabel}"}}`, image]
    const { stdout } = await run(engine.program, ask)
    if (stdout.trim() === sources) continue
    progress.waiting([`building ${image} from apps/${service}`])
    await buildImage(root, engine, service, image, ['--label', `${sourcesLabel}=${sources}`])
    built.push(service)
  }
  return built
}

/** A hash of what the image is made of. Of package.json the scripts change often and the rest is in the lock file. */
function fingerprint(root: string, service: Service): string {
  const hash = createHash('sha256')
  for (const file of ['package-lock.json', 'apps/Dockerfile']) hash.update(readFileSync(join(root, file)))
  for (const folder of ['apps/common', `apps/${service}`])
    for (const entry of readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((found) => found.isFile() && !/\/(node_modules|dist|test)(\/|$)/.test(found.parentPath))
      .sort((a, b) => join(a.parentPath, a.name).localeCompare(join(b.parentPath, b.name)))) {
      const path = join(entry.parentPath, entry.name)
      hash.update(`${relative(root, path)}\n`).update(readFileSync(path))
    }
  return hash.digest('hex').slice(0, 16)
}

/** @throws UsageError with the end of the build's output */
export async function buildImage(
  root: string,
  engine: Engine,
  service: Service,
  name: string,
  more: readonly string[] = [],
): Promise<void> {
  const file = join(root, 'apps', 'Dockerfile')
  const args = [
    'build',
    '--file',
    file,
    '--build-arg',
    `SERVICE=${service}`,
    '--tag',
    name,
    '--label',
    label,
    ...more,
    root,
  ]
  const { code, stdout, stderr } = await run(engine.program, args)
  if (code === 0) return
  const end = `${stdout}\n${stderr}`.trim().split('\n').slice(-15).join('\n  ')
  throw new UsageError(`apps/Dockerfile does not build ${service}:\n  ${end}`)
}

/**
 * Puts images into the node that the engine has and the node has not, or has of another build. Images that the engine has not either are
 * left to the node, which pulls them.
 * @returns the names of those it loaded
 */
export async function provideImages(engine: Engine, wanted: readonly string[], progress: Progress): Promise<string[]> {
  const inNode = await nodeImages(engine)
  const missing: string[] = []
  for (const image of wanted) {
    const id = await imageId(engine, image)
    if (id !== undefined && inNode.get(image) !== id) missing.push(image)
  }
  if (missing.length === 0) return []
  progress.waiting(missing.map((image) => `loading ${image} into the node`))
  const folder = mkdtempSync(join(tmpdir(), 'inference-images-'))
  try {
    await loadImages(engine, missing, join(folder, 'images.tar'))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  return missing
}

/** `sha256:…` of an image that the engine has; undefined when it has none of this name. */
async function imageId(engine: Engine, image: string): Promise<string | undefined> {
  const { code, stdout } = await run(engine.program, ['image', 'inspect', '--format', '{{.Id}}', image])
  if (code !== 0) return undefined
  const id = stdout.trim()
  return id.startsWith('sha256:') ? id : `sha256:${id}`
}

/** Removes the images that `npm run up` built, under the names it gave them; the engine's build cache stays. Gives their names. */
export async function removeBuiltImages(root: string, engine: Engine): Promise<string[]> {
  const { code, stdout, stderr } = await run(engine.program, [
    'images',
    '--filter',
    `label=${label}`,
    '--format',
    '{{.Repository}}:{{.Tag}}',
  ])
  if (code !== 0) throw new UsageError(`${engine.program} cannot list its images: ${stderr.trim()}`)
  const ours = Object.values(imagesOf(root, 'kind'))
  // The same image may have other names that other people gave it.
  const names = stdout.split('\n').filter((name) => ours.includes(name))
  if (names.length === 0) return names
  const removed = await run(engine.program, ['rmi', ...names])
  if (removed.code !== 0)
    throw new UsageError(`${engine.program} rmi ${names.join(' ')} failed: ${removed.stderr.trim()}`)
  return names
}
