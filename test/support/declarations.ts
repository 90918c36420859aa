import type { RepositoryFacts } from '#kubernetes/model/environment.ts'
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
