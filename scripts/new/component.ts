import { type Changes, checkName } from './changes.ts'

/** Adds a component that an overlay can switch on, an overlay that renders it so that it is checked, and its line in docs/setup.md. */
export function newComponent(changes: Changes, wanted: string | undefined): void {
  const name = checkName(wanted, 'a component')
  changes.create(
    `components/${name}/kustomization.yaml`,
    `# Say here what the component does and what the cluster has to offer for it.
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
# An example that changes nothing that runs: replace it by resources, patches or generators.
commonAnnotations:
  inference-platform/${name}: "on"
`,
  )
  // Copied from the overlay of a component that is delivered, so that it passes as that does.
  const example = changes.read('test/overlays/vpa-recommend/kustomization.yaml')
  changes.create(`test/overlays/${name}/kustomization.yaml`, example.replaceAll('vpa-recommend', name))
  changes.edit('docs/setup.md', 'the component in the table of options', (content) =>
    content.replace(
      /(\| component \| what it does \| on in \|\n\| --- \| --- \| --- \|\n(?:\|.*\n)*)/,
      (table) => `${table}| \`${name}\` | what it does | \`test/overlays/${name}\` |\n`,
    ),
  )
}
