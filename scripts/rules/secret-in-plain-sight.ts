import {
  credentialIn,
  isCredentialName,
  isLiteral,
  passwordSetting,
} from '#kubernetes/configuration/credential-patterns.ts'
import type { Environment } from '#kubernetes/model/environment.ts'
import { at, fields, items, text } from '#kubernetes/model/objects.ts'
import { defineRule, type Report } from '#rule/define-rule.ts'

export default defineRule({
  id: 'secret-in-plain-sight',
  category: 'security',
  severity: 'error',
  summary: 'No credential is in a variable, an argument, a ConfigMap or a Secret of this repository.',
  why: 'Anyone who can read the repository or the pod can read it, and the Git history keeps it after it is removed. Base64 is not encryption.',
  fix: 'Revoke the credential, keep the new one in the secret store, and mount it as a file.',
  check(environment, report) {
    checkContainers(environment, report)
    for (const configMap of environment.ofKind('ConfigMap', '')) {
      for (const [key, content] of Object.entries(fields(configMap.raw.data))) {
        const found = credentialOf(key, text(content) ?? '')
        if (found !== undefined)
          report(configMap, ['data', key], `the key "${key}" contains ${found}`, fixOf(`out of ${key}`))
      }
    }
    for (const secret of environment.ofKind('Secret', '')) {
      for (const [part, decode] of [
        ['data', (value: string) => Buffer.from(value, 'base64').toString()],
        ['stringData', (value: string) => value],
      ] as const) {
        for (const [key, content] of Object.entries(fields(secret.raw[part]))) {
          const found = credentialOf(key, decode(text(content) ?? ''))
          if (found !== undefined)
            report(
              secret,
              [part, key],
              `the key "${key}" contains ${found}`,
              fixOf(`out of ${key}, or the whole Secret`),
            )
        }
      }
    }
  },
})

function fixOf(place: string): string {
  return `Revoke the credential and take it ${place}; keep the new one in the secret store, from which an ExternalSecret creates the Secret, and mount that as a file.`
}

function checkContainers(environment: Environment, report: Report): void {
  for (const { object, containers } of environment.workloads) {
    for (const { path, env, raw } of containers) {
      for (const variable of env) {
        const found = credentialOf(variable.name, variable.value ?? '')
        if (found !== undefined)
          report(
            object,
            [...variable.path, 'value'],
            `${variable.name} contains ${found}`,
            fixOf(`out of the value of ${variable.name} in env`),
          )
      }
      for (const list of ['command', 'args']) {
        for (const [index, word] of items(at(raw, list)).entries()) {
          const found = credentialInArgument(text(word) ?? '')
          if (found !== undefined)
            report(object, [...path, list, index], `the argument contains ${found}`, fixOf(`out of ${list}`))
        }
      }
    }
  }
}

/** Describes the credential that a named value contains; undefined when it contains none. */
function credentialOf(name: string, value: string): string | undefined {
  const form = credentialIn(value)
  if (form !== undefined) return form
  if (value.includes('\n')) {
    const setting = passwordSetting(value)
    return setting && `a value for "${setting}"`
  }
  return isCredentialName(name) && isLiteral(value) ? 'a credential, according to its name' : undefined
}

function credentialInArgument(word: string): string | undefined {
  const form = credentialIn(word)
  if (form !== undefined) return form
  const [, name = '', value = ''] = /^--?([\w-]+)=(.+)$/.exec(word) ?? []
  return isCredentialName(name) && isLiteral(value) ? `a value for --${name}` : undefined
}
