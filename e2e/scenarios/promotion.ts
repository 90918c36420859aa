import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import { refresh } from '#cluster/argo.ts'
import { applications, type Cluster, mergePatch } from '#cluster/client.ts'
import { ifExists } from '#cluster/connection.ts'
import { applyByKubectl } from '#cluster/kubectl.ts'
import { execute } from '#cluster/pods.ts'
import { until } from '#cluster/wait.ts'
import { $ } from '#system/shell.ts'
import { edit, openRepository, untilSynced } from '../repository.ts'
import type { Run, Scenario } from '../run.ts'

const environments = ['first', 'second'] as const
/** Main is for the environment of the cluster. */
const branchName = 'promotion'
const repositoryUrl = 'git://git-server.argocd.svc.cluster.local/platform.git'

export default {
  name: 'promotion',
  title:
    'Two small environments side by side: a merged promotion changes what the second runs, and nothing before does',
  async run(run) {
    const repository = await openRepository(run, branchName)
    run.cleanup(() => repository.restore())
    const begun = await repository.commit('Two small environments', (folder) => {
      for (const name of environments) makeOverlay(folder, name)
      edit(join(folder, 'promotion.yaml'), 'order: [dev, staging, prod]', 'order: [first, second]')
      edit(join(folder, 'promotion.yaml'), '  staging: 0\n  prod: 24\n', '  second: 0\n')
    })
    run.cleanup(() => removeEnvironments(run))
    await makeApplications(run)
    for (const name of environments) run.expect(`${name} runs`, (await runs(run, name, begun)) !== undefined)
    run.expect('the second has the first model', await hasModel(run, 'second', 'tiny-chat:latest'))

    const ahead = await repository.commit('A newer model and a longer context, in the first environment', (folder) => {
      const file = join(folder, 'overlays/first/versions.yaml')
      edit(file, 'chat: tiny-chat:latest', 'chat: tiny-chat:next')
      edit(file, 'contextLength: "4096"', 'contextLength: "2048"')
    })
    run.expect('the first runs the newer model', (await runs(run, 'first', ahead)) !== undefined)
    run.expect('it has it', await hasModel(run, 'first', 'tiny-chat:next'))
    await runs(run, 'second', ahead)
    run.expect('the second does not have it yet', !(await hasModel(run, 'second', 'tiny-chat:next')))

    const command = [join(run.root, 'scripts/run.mjs'), 'promote', '--from', 'first', '--to', 'second', '--root']
    const { stdout, stderr } = await $`${process.execPath} ${command} ${repository.folder}`
    const [, branch] = /The branch (\S+) was created/.exec(stdout) ?? []
    run.expect('npm run promote creates the branch of the promotion', branch !== undefined, stdout + stderr)
    if (branch === undefined) return
    const merged = await repository.merge(branch)
    const promoted = await runs(run, 'second', merged)
    run.expect('once it is merged, the second runs it', promoted !== undefined)
    if (promoted !== undefined) run.measure('merge to the promoted model running', promoted / 1000, 's')
    run.expect('it has the newer model', await hasModel(run, 'second', 'tiny-chat:next'))
    const context = await inOllama(run, 'second', 'printenv', 'OLLAMA_CONTEXT_LENGTH')
    run.expect('and the longer context', context.trim() === '2048', context)
  },
} satisfies Scenario

const policies = ['default-deny', 'allow-dns', 'ollama-from-pull-models', 'pull-models-to-ollama'].map(
  (name) => `${name}.yaml`,
)

/** Ollama alone, with the tiny models of kind: what a promotion moves is seen in it. */
function makeOverlay(folder: string, name: string): void {
  const kind = join(folder, 'overlays/kind')
  const own = join(folder, 'overlays', name)
  mkdirSync(own)
  for (const file of ['ollama.yaml', 'pull-models.yaml', 'versions.yaml', 'models', 'priority-classes'])
    cpSync(join(kind, file), join(own, file), { recursive: true })
  for (const policy of policies) cpSync(join(folder, 'base/network', policy), join(own, policy))
  edit(join(own, 'priority-classes/kustomization.yaml'), 'inference-kind-', `inference-${name}-`)
  const sharedWithKind = parse(readFileSync(join(kind, 'kustomization.yaml'), 'utf8')) as {
    patches: { target?: { kind: string } }[]
  }
  const volume = sharedWithKind.patches.find(({ target }) => target?.kind === 'StatefulSet')
  const kustomization = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    namespace: `inference-${name}`,
    resources: ['../../base/namespace', '../../base/ollama', 'priority-classes', 'versions.yaml', ...policies],
    components: ['../../components/cpu-only', '../../components/versions'],
    labels: [{ pairs: { 'app.kubernetes.io/instance': `inference-${name}` }, includeTemplates: true }],
    configMapGenerator: [
      {
        name: 'model-files',
        files: ['models/tiny-chat.gguf', 'models/tiny-embed.gguf'],
        options: { annotations: { 'argocd.argoproj.io/sync-options': 'ServerSideApply=true' } },
      },
      { name: 'pull-models-config', behavior: 'merge', literals: ['MODEL_FILES=/models'] },
    ],
    patches: [{ path: 'ollama.yaml' }, { path: 'pull-models.yaml' }, volume],
  }
  writeFileSync(join(own, 'kustomization.yaml'), stringify(kustomization))
}

/** The ApplicationSet and the project of the repository, for these environments and the git server of the cluster. */
async function makeApplications(run: Run): Promise<void> {
  const project = readFileSync(join(run.root, 'argocd/kind/environment/project.yaml'), 'utf8')
  const set = parse(readFileSync(join(run.root, 'argocd/environments/application-set.yaml'), 'utf8'))
  set.metadata = { name: 'promotion', namespace: 'argocd' }
  set.spec.generators = [{ list: { elements: environments.map((environment) => ({ environment, automated: true })) } }]
  set.spec.template.spec.source.repoURL = repositoryUrl
  set.spec.template.spec.source.targetRevision = branchName
  const projects = environments.map((name) => project.replaceAll('inference-kind', `inference-${name}`))
  await applyByKubectl(run.cluster, [...projects, stringify(set)].join('---\n'), '--namespace=argocd')
}

async function removeEnvironments({ cluster }: Run): Promise<void> {
  const names = environments.map((name) => `inference-${name}`)
  await removeCustom(cluster, 'applicationsets', 'promotion')
  for (const plural of ['applications', 'appprojects'])
    await Promise.all(names.map((name) => removeCustom(cluster, plural, name)))
  for (const name of names) {
    await ifExists(cluster.core.deleteNamespace({ name }))
    // Argo CD would take its finalizer off a hook once it is done, but it is no longer asked to.
    const { items } = await cluster.batch.listNamespacedJob({ namespace: name })
    const body = { metadata: { finalizers: null } }
    for (const { metadata } of items)
      await ifExists(
        cluster.batch.patchNamespacedJob({ namespace: name, name: metadata?.name ?? '', body }, mergePatch),
      )
  }
  const labelSelector = `app.kubernetes.io/instance in (${names.join(',')})`
  await cluster.scheduling.deleteCollectionPriorityClass({ labelSelector })
}

/** Deletes an object of Argo CD if there is one, and waits until it is gone: an Application goes after all that it manages. */
async function removeCustom(cluster: Cluster, plural: string, name: string): Promise<void> {
  const object = { ...applications, plural, namespace: 'argocd', name }
  await ifExists(cluster.custom.deleteNamespacedCustomObject(object))
  const isGone = async () => (await ifExists(cluster.custom.getNamespacedCustomObject(object))) === undefined
  if ((await until(300_000, isGone, 500)) === undefined)
    throw new Error(`${plural} ${name} is not deleted after 5 minutes`)
}

/** Milliseconds until an environment runs a commit. */
async function runs(run: Run, name: string, commit: string): Promise<number | undefined> {
  const application = `inference-${name}`
  // The ApplicationSet creates it a moment after it is applied.
  await until(
    30_000,
    async () => (await refresh(run.cluster, application).catch((error: Error) => error)) === undefined,
  )
  return untilSynced(run, commit, 180_000, application)
}

function inOllama(run: Run, name: string, ...command: string[]): Promise<string> {
  return execute(run.cluster, `inference-${name}`, 'ollama-0', 'ollama', command)
}

async function hasModel(run: Run, name: string, model: string): Promise<boolean> {
  return (await inOllama(run, name, 'ollama', 'list')).includes(model)
}
