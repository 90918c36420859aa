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
