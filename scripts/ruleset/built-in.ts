import type { RuleText } from '#rule/define-rule.ts'

/** What the check itself finds, before or beside the rules: texts for `--explain`, docs and reports. */
export const builtInRules: readonly RuleText[] = [
  {
    id: 'render',
    severity: 'error',
    summary: 'kustomize can build the folder.',
    why: 'Argo CD builds with the same kustomize: what does not build here cannot be synced, so the last good state stays, and with it the last faults.',
    fix: 'Mend what kustomize names; `kustomize build` of the folder shows the same.',
  },
  {
    id: 'empty-render',
    severity: 'error',
    summary: 'There is at least one object to check.',
    why: 'A check of nothing is right about nothing. Argo CD would delete everything that an empty render leaves out.',
    fix: 'List the resources of the kustomization, or give a file that holds manifests.',
  },
  {
    id: 'yaml-syntax',
    severity: 'error',
    summary: 'Every document is YAML that can be read with bounded effort.',
    why: 'What cannot be read is not applied. Aliases within aliases can make a small file fill the memory of whoever reads it.',
    fix: 'Mend the YAML at the place that is named.',
  },
  {
    id: 'duplicate-key',
    severity: 'error',
    summary: 'No mapping holds the same key twice.',
    why: 'Parsers silently drop one of the two, and not all the same one.',
    fix: 'Keep one.',
  },
  {
    id: 'not-an-object',
    severity: 'error',
    summary: 'Every document is a Kubernetes object with apiVersion, kind and metadata.name.',
    why: 'The API server takes nothing else, and a sync fails as a whole.',
    fix: 'Add the missing field, or remove the document.',
  },
  {
    id: 'duplicate-object',
    severity: 'error',
    summary: 'No object stands twice: API group, kind, namespace and name.',
    why: 'The cluster keeps whichever is applied last, so half of what is written never runs.',
    fix: 'Keep one, or give them different names.',
  },
  {
    id: 'versions-schema',
    severity: 'error',
    summary: "The versions.yaml of an environment keeps to the repository's schema for it.",
    why: 'A promotion changes this file alone; a field that is missing or misspelt is promoted into nothing.',
    fix: 'The schema is overlays/versions.schema.json; the other environments show the form.',
  },
  {
    id: 'schema',
    severity: 'error',
    summary: 'Every object keeps to the schema that a real API server has for it; unknown fields count as wrong.',
    why: 'The API server refuses a wrong type and drops an unknown field, so what was meant by a misspelt field never happens.',
    fix: 'Compare with `kubectl explain` of the kind.',
  },
  {
    id: 'schema-missing',
    severity: 'error',
    summary: 'There is a schema for every kind.',
    why: 'Nothing can be proven about a kind that no schema describes; most often its name or apiVersion is misspelt.',
    fix: 'Mend the kind or apiVersion, or add its CustomResourceDefinition to `npm run schemas`.',
  },
  {
    id: 'validation-rule',
    severity: 'error',
    summary: 'Every custom resource keeps to the rules that its definition states in CEL (x-kubernetes-validations).',
    why: 'The API server refuses what breaks one, and the sync fails as a whole. A JSON schema cannot say them: "a redirect has no backends", "two listeners differ".',
    fix: 'Change the object so that the expression holds. Rules about a change (oldSelf) are left out: a repository holds no object before.',
  },
  {
    id: 'admission',
    severity: 'error',
    summary: 'A real API server admits every object and a pod of every workload (only with --admit).',
    why: 'The words are those of the server that would refuse the object at the sync.',
    fix: 'Change the manifest so that the API server takes it.',
  },
  {
    id: 'code-owners',
    severity: 'error',
    summary:
      'CODEOWNERS names who approves the versions of every environment that is promoted into, and the order of promotion.',
    why: 'A change that nobody owns is merged with any approval, so prod gets it without those who run prod.',
    fix: 'Add a line for the folder of the environment, or for promotion.yaml, with its owners.',
  },
  {
    id: 'delivery-repository',
    severity: 'error',
    summary: 'An Application comes from every address of this repository that platform.yaml and check.yaml name.',
    why: 'The rules about Applications know by these addresses which of them render this repository. Under another one they check nothing, and nobody notices.',
    fix: 'Write the address that the Applications have, with npm run init, or remove the one that none has.',
  },
  {
    id: 'exemption',
    severity: 'error',
    summary: 'Every exemption names a rule, has a reason, has not ended, and covers a finding.',
    why: 'An exemption that nobody needs or can explain hides the next fault in its place.',
    fix: 'Write the reason, judge it anew, or remove it.',
  },
]
