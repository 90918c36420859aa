import { parseCommandLine, runCommand } from '#cli/command-line.ts'
import { exit, UsageError } from '#cli/errors.ts'
import { root } from '#cli/paths.ts'
import { clusterName } from '#cluster/client.ts'
import { removeBuiltImages } from '#cluster/images.ts'
import { deleteCluster, standing } from '#cluster/kind.ts'
import { findEngine } from '#cluster/machine.ts'

const usage = `usage: npm run down

Removes what npm run up created: the kind cluster with all its data, its kubectl context, and the images of the services.
Images that were pulled, and the engine's build cache, are kept.`

await runCommand(async () => {
  parseCommandLine(usage, {}, { ok: 'removed' })
  const engine = await findEngine()
  const found = await standing(engine)
  if (found === 'foreign')
    throw new UsageError(
      `npm run up did not make the kind cluster "${clusterName}" (or did not finish), so it stays. If nobody needs it: kind delete cluster --name ${clusterName}`,
    )
  if (found === 'ours') await deleteCluster(engine)
  const images = await removeBuiltImages(root, engine)
  process.stdout.write(
    found === 'ours'
      ? `Removed the cluster ${clusterName} with all its data.\n`
      : `There is no cluster ${clusterName}.\n`,
  )
  process.stdout.write(
    images.length > 0 ? `Removed ${images.join(', ')}.\n` : 'There are no images that npm run up built.\n',
  )
  return exit.ok
})
