import { defineRule } from '#rule/define-rule.ts'

const prefix = 'argocd.argoproj.io/'
/** Source: argo-cd.readthedocs.io, resource hooks. */
const known: Readonly<Record<string, readonly string[]>> = {
  [`${prefix}hook`]: ['PreSync', 'Sync', 'PostSync', 'SyncFail', 'PreDelete', 'PostDelete', 'Skip'],
  [`${prefix}hook-delete-policy`]: ['HookSucceeded', 'HookFailed', 'BeforeHookCreation'],
}

export default defineRule({
  id: 'sync-annotations',
  severity: 'error',
  summary:
    "Argo CD's annotations hold what Argo CD reads: a wave is a whole number, a hook and its delete policy are ones that exist.",
  why: 'Argo CD takes a wave that is no number for 0, leaves a hook that it does not know out of every sync, and ignores a delete policy that it does not know.',
  fix: 'Write one of the expected words, or a whole number in quotes.',
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
          `the wave is "${wave}"; expected a whole number`,
          `Set ${prefix}sync-wave to a whole number in quotes: "1".`,
        )
    }
  },
})
