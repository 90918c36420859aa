/**
 * The areas of scripts/ from low to high. An area imports from lower rows only, never from its own row or a higher one. A new folder takes its place here.
 */
export const layers = [
  ['text', 'cli'],
  ['system'],
  ['kubernetes/model'],
  ['kubernetes/workloads'],
  ['kubernetes/references'],
  ['kubernetes/configuration'],
  ['kubernetes/network', 'kubernetes/argocd'],
  ['kubernetes/monitoring'],
  ['kubernetes/topology'],
  ['manifests', 'platform'],
  ['validation', 'rule'],
  ['rules'],
  ['ruleset'],
  ['check'],
  ['reporters', 'diff', 'dashboards', 'cluster', 'dev'],
  ['promotion', 'mutate', 'init', 'new'],
  ['lock'],
  ['commands'],
]

const areas = layers.flat()
const folder = (names) => `^scripts/(?:${names.join('|')})/`

/** One rule per area: what is not below it. */
const order = layers.flatMap((row, height) =>
  row.map((area) => ({
    name: `${area.replace('/', '-')}-imports-lower-areas`,
    severity: 'error',
    comment: `The order of the areas is the list at the top of .dependency-cruiser.mjs.`,
    from: { path: folder([area]) },
    to: {
      path: folder(
        layers
          .slice(height)
          .flat()
          .filter((name) => name !== area),
      ),
    },
  })),
)

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      comment: 'Move what both need into a third file.',
      from: {},
      to: { circular: true },
    },
    ...order.filter(({ to }) => to.path !== folder([])),
    {
      name: 'every-area-has-its-place',
      severity: 'error',
      comment: 'Add the folder to the list at the top of .dependency-cruiser.mjs.',
      from: { path: '^scripts/', pathNot: [folder(areas), '^scripts/[^/]+$'] },
      to: {},
    },
    {
      name: 'kubernetes-is-pure',
      severity: 'error',
      comment:
        'What is known of Kubernetes reads no file and starts no process, so it can be tested and reused without either.',
      from: { path: '^scripts/kubernetes/' },
      to: {
        path: [
          '^(?:node:)?(?:fs|child_process|net|http|https|os|process|worker_threads)(?:/|$)',
          folder(['cli', 'system']),
        ],
      },
    },
    {
      name: 'no-tests-in-the-program',
      severity: 'error',
      comment: 'Only the command e2e imports e2e/; nothing imports test/ or bench/.',
      from: { path: '^(?:scripts|apps)/', pathNot: '^scripts/commands/e2e\\.ts$' },
      to: { path: '^(?:test|e2e|bench)/' },
    },
    {
      name: 'services-stand-alone',
      severity: 'error',
      comment: 'A service is built from its own folder and apps/common.',
      from: { path: '^apps/([^/]+)/' },
      to: { path: '^(?:scripts|apps)/', pathNot: '^apps/(?:$1|common)/' },
    },
  ],
  options: {
    parser: 'swc',
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
  },
}
