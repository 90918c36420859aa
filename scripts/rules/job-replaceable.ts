import { defineRule } from '#rule/define-rule.ts'

export default defineRule({
  id: 'job-replaceable',
  category: 'argocd',
  severity: 'error',
  summary: 'A Job that Argo CD syncs is a hook, or is replaced at every sync.',
  why: 'A Job\'s template is immutable: the first sync with another image fails with "field is immutable" until someone deletes the Job.',
  fix: 'Annotate the Job with argocd.argoproj.io/hook: Sync, or with argocd.argoproj.io/sync-options: Replace=true,Force=true.',
  needs: {
    what: 'an Argo CD annotation',
    isIn: ({ objects }) =>
      objects.some(({ annotations }) =>
        Object.keys(annotations).some((name) => name.startsWith('argocd.argoproj.io/')),
      ),
  },
  check(environment, report) {
    for (const job of environment.ofKind('Job', 'batch')) {
      const { annotations } = job
      const isHook = 'argocd.argoproj.io/hook' in annotations || 'helm.sh/hook' in annotations
      if (isHook || /\b(?:Replace|Force)=true\b/.test(annotations['argocd.argoproj.io/sync-options'] ?? '')) continue
      report(job, ['metadata'], 'the Job is neither a hook nor replaced, so a changed one cannot be synced')
    }
  },
})
