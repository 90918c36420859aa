import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { UsageError } from '#cli/errors.ts'
import type { Progress } from '#cli/progress.ts'
import { callEngine, type Engine } from '#system/container-engine.ts'
import { contentFingerprint } from '#system/fingerprint.ts'
import { $ } from '#system/shell.ts'
import { inTemporaryFolder } from '#system/temporary-folder.ts'
import { loadImages, nodeImages } from './kind.ts'

/** The services that are built from this repository. */
export const services = ['gateway', 'worker', 'collector'] as const
export type Service = (typeof services)[number]

/** Built images carry this label, so that `npm run down` finds them. */
const label = 'inference-platform/built-by=npm-run-up'
/** The sources that an image was built from, as their fingerprint. */
const sourcesLabel = 'inference-platform/sources'

/** The images of an environment by the name that versions.yaml gives them. */
export function imagesOf(root: string, environment: string): Record<string, string> {
  const file = join(root, 'overlays', environment, 'versions.yaml')
  return (parse(readFileSync(file, 'utf8')) as { spec: { images: Record<string, string> } }).spec.images
}

/**
 * Builds the images of the services under the names of the environment, except those that were built from the same sources before.
 * @returns the services that were built
 */
export async function buildServices(root: string, engine: Engine, progress: Progress): Promise<Service[]> {
  const images = imagesOf(root, 'kind')
  const built: Service[] = []
  for (const service of services) {
    const image = images[service] ?? ''
    const sources = sourcesOf(root, service)
    const format = `{{index .Config.Labels "${sourcesLabel}"}}`
    const inspected = await $`${engine.program} image inspect --format ${format} ${image}`
    if (inspected.stdout.trim() === sources) continue
    progress.waiting([`building ${image} from apps/${service}`])
    await buildImage(root, engine, service, image, ['--label', `${sourcesLabel}=${sources}`])
    built.push(service)
  }
  return built
}

/** A hash of what the image is made of. Of package.json the scripts change often, and the rest is in the lock file. */
function sourcesOf(root: string, service: Service): string {
  const notInImage = (name: string) => ['node_modules', 'dist', 'test'].includes(name)
  return contentFingerprint(
    root,
    ['package-lock.json', 'apps/Dockerfile', 'apps/common', `apps/${service}`],
    notInImage,
  )
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
  const forService = ['--build-arg', `SERVICE=${service}`]
  const built =
    await $`${engine.program} build --file ${file} ${forService} --tag ${name} --label ${label} ${more} ${root}`
  if (built.ok) return
  const end = `${built.stdout}\n${built.stderr}`.trim().split('\n').slice(-15).join('\n  ')
  throw new UsageError(`apps/Dockerfile does not build ${service}:\n  ${end}`)
}

/**
 * Loads images into the node that the engine has and the node lacks, or has of another build. Images that the engine lacks, too, are left to
 * the node, which pulls them.
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
  await inTemporaryFolder('inference-images-', (folder) => loadImages(engine, missing, join(folder, 'images.tar')))
  return missing
}

/** `sha256:…` of an image that the engine has; undefined when it has none of this name. */
async function imageId({ program }: Engine, image: string): Promise<string | undefined> {
  const inspected = await $`${program} image inspect --format ${'{{.Id}}'} ${image}`
  if (!inspected.ok) return undefined
  const id = inspected.stdout.trim()
  return id.startsWith('sha256:') ? id : `sha256:${id}`
}

/** Removes the images that `npm run up` built, under the names it gave them; the engine's build cache stays. Gives their names. */
export async function removeBuiltImages(root: string, engine: Engine): Promise<string[]> {
  const filter = ['--filter', `label=${label}`, '--format', '{{.Repository}}:{{.Tag}}']
  const listed = await callEngine(engine, 'images', ...filter)
  const ours = Object.values(imagesOf(root, 'kind'))
  // The same image may have other names that other people gave it.
  const names = listed.split('\n').filter((name) => ours.includes(name))
  if (names.length > 0) await callEngine(engine, 'rmi', ...names)
  return names
}
