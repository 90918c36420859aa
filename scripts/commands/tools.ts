import { parseCommandLine, runCommand } from '#cli/command-line.ts'
import { exit, UsageError } from '#cli/errors.ts'
import { type ToolName, tool, tools } from '#system/tools.ts'

const usage = `usage: npm run tools [-- NAME…]

Installs the programs that this repository uses, each at exactly its pinned version: from PATH, from .tools/, from the upstream
release (verified against its published checksum) or built with Go (verified by Go's checksum database).
Without a name: the two that \`npm run check\` needs.

${Object.entries(tools)
  .map(([name, { version }]) => `  ${name.padEnd(25)}${version}`)
  .join('\n')}`

function isToolName(name: string): name is ToolName {
  return Object.hasOwn(tools, name)
}

await runCommand(async () => {
  const { positionals } = parseCommandLine(usage, {}, { positionals: true, ok: 'installed' })
  const names = positionals.length > 0 ? positionals : ['kustomize', 'kubeconform']
  for (const name of names) {
    if (!isToolName(name))
      throw new UsageError(`unknown program "${name}"; expected one of ${Object.keys(tools).join(', ')}`)
  }
  for (const name of names.filter(isToolName))
    console.log(`${name.padEnd(25)}${tools[name].version.padEnd(9)}${await tool(name)}`)
  return exit.ok
})
