import { type Changes, checkName } from './changes.ts'

/** Adds a component that an overlay can enable, an overlay that renders it so that it is checked, and its lines in the tables of components. */
export function newComponent(changes: Changes, wanted: string | undefined): void {
  const name = checkName(wanted, 'a component')
  changes.create(
    `components/${name}/kustomization.yaml`,
    `# Describe what the component does and what the cluster has to provide for it.
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
# An example that changes no workload: replace it with resources, patches or generators.
commonAnnotations:
  inference-platform/${name}: "on"
`,
  )
  // Copied from the overlay of an existing component, which passes the check.
  const example = changes.read('test/overlays/vpa-recommend/kustomization.yaml')
  changes.create(`test/overlays/${name}/kustomization.yaml`, example.replaceAll('vpa-recommend', name))
  changes.edit('docs/setup.md', 'the component in the table of options', (content) =>
    addRow(content, 'component | purpose | enabled in', `\`${name}\` | what it does | \`test/overlays/${name}\``),
  )
  changes.edit('components/README.md', 'the component in the table', (content) =>
    addRow(
      content,
      'component | what it does | when to use it',
      `[\`${name}\`](${name}) | what it does | when to use it`,
    ),
  )
}

/** The content with one more row at the end of the table that has these headings; unchanged where there is no such table. */
function addRow(content: string, headings: string, row: string): string {
  const table = new RegExp(`\\| ${headings.replaceAll('|', '\\|')} \\|\\n(?:\\|.*\\n)+`)
  return content.replace(table, (rows) => `${rows}| ${row} |\n`)
}
