import { defineRule } from '#rule/define-rule.ts'

const prefix = 'argocd.argoproj.io/'
/** Source: argo-cd.readthedocs.io, resource hooks. */
const known: Readonly<Record<string, readonly string[]>> = {
  [`${prefix}hook`]: ['PreSync', 'Sync', 'PostSync', 'SyncFail', 'PreDelete', 'PostDelete', 'Skip'],
  [`${prefix}hook-delete-policy`]: ['HookSucceeded', 'HookFailed', 'BeforeHookCreation'],
}

export default defineRule({
  id: 'sync-annotations',
  category: 'argocd',
  severity: 'error',
  summary: 'Argo CD annotations have valid values: a sync wave is an integer, a hook and its delete policy are known.',
  why: 'Argo CD treats an invalid wave as 0, leaves an object with an unknown hook out of every sync, and ignores an unknown delete policy.',
  fix: 'Write one of the expected values, or an integer in quotes.',
  check(environment, report) {
    for (const object of environment.objects) {
      for (const [name, expected] of Object.entries(known)) {
        const value = object.annotations[name]
        const wrong = value?.split(',').find((word) => !expected.includes(word.trim()))
        if (wrong !== undefined)
          report(
            object,
            ['metadata', 'annotations', name],
            `"${wrong}" is unknown; expected ${expected.join(', ')}`,
            `Set ${name} to one of ${expected.join(', ')}.`,
          )
      }
      const wave = object.annotations[`${prefix}sync-wave`]
      if (wave !== undefined && !/^[+-]?\d+$/.test(wave))
        report(
          object,
          ['metadata', 'annotations', `${prefix}sync-wave`],
          `the wave is "${wave}"; expected an integer`,
          `Set ${prefix}sync-wave to an integer in quotes: "1".`,
        )
    }
  },
})
