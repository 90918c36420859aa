/**
 * Makes the two tiny models of the kind overlay and of the tests: `npx tsx test/models/make.ts [folder]`.
 * They are small enough to be committed; `make.test.ts` holds that this command gives the committed bytes.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { tinyChat } from './tiny-chat.ts'
import { tinyEmbed } from './tiny-embed.ts'

const folder = process.argv[2] ?? 'overlays/kind/models'
mkdirSync(folder, { recursive: true })
for (const [name, bytes] of [
  ['tiny-chat', tinyChat()],
  ['tiny-embed', tinyEmbed()],
] as const) {
  const file = join(folder, `${name}.gguf`)
  writeFileSync(file, bytes)
  console.log(`${file}: ${bytes.length} bytes`)
}
