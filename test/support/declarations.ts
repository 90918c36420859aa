import type { Provided } from '#check/config.ts'
import type { OwnFacts } from '#kubernetes/model/environment.ts'

/** What a rule's fixture declares as `check.yaml` would: `# provided Secret web-credentials password`. */
export function declarations(content: string): Provided[] {
  return [...content.matchAll(/^# provided (\S+) (\S+) ?(.*)$/gm)].map(([, kind = '', name = '', keys = '']) => ({
    kind,
    name,
    by: 'the fixture',
    ...(keys !== '' && { keys: keys.trim().split(/\s+/) }),
  }))
}

/** What a fixture says of the repository around its environments: `# own services gateway`, `# own images a:1 b:2`, `# own adopted`. */
export function ownFacts(content: string): OwnFacts | undefined {
  const lines = new Map(
    [...content.matchAll(/^# own (services|images|adopted) ?(.*)$/gm)].map(([, word = '', rest = '']) => [word, rest]),
  )
  if (lines.size === 0) return undefined
  const list = (word: string) => lines.get(word)?.trim().split(/\s+/)
  return { services: list('services') ?? [], images: list('images'), isAdopted: lines.has('adopted') }
}
