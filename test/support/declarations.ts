import type { OwnFacts, RepositoryFacts } from '#kubernetes/model/environment.ts'
import type { Provided } from '#kubernetes/model/provided.ts'

/** What a rule's fixture declares as `check.yaml` would: `# provided Secret web-credentials password`. */
export function declarations(content: string): Provided[] {
  return [...content.matchAll(/^# provided (\S+) (\S+) ?(.*)$/gm)].map(([, kind = '', name = '', keys = '']) => ({
    kind,
    name,
    by: 'the fixture',
    ...(keys !== '' && { keys: keys.trim().split(/\s+/) }),
  }))
}

/** What a rule's fixture declares besides objects, in the words of `check.yaml`: `# metrics requests_total`, `# parity staging prod`. */
export function factsIn(content: string): RepositoryFacts {
  const all = (word: string) =>
    [...content.matchAll(new RegExp(`^# ${word} (.+)$`, 'gm'))].flatMap(([, names = '']) => names.trim().split(/\s+/))
  const metrics = all('metrics')
  return {
    metrics: metrics.length > 0 ? new Set(metrics) : undefined,
    parity: all('parity'),
    repositories: all('repositories'),
    folders: all('folders'),
  }
}

/** What a fixture knows of the repository around its environments: `# own services gateway`, `# own images a:1 b:2`, `# own adopted`. */
export function ownFacts(content: string): OwnFacts | undefined {
  const lines = new Map(
    [...content.matchAll(/^# own (services|images|adopted) ?(.*)$/gm)].map(([, word = '', rest = '']) => [word, rest]),
  )
  if (lines.size === 0) return undefined
  const list = (word: string) => lines.get(word)?.trim().split(/\s+/)
  return { services: list('services') ?? [], images: list('images'), isAdopted: lines.has('adopted') }
}
