/** Words that end the name of a credential: `DB_PASSWORD`, `clientSecret`. */
const words = [
  'password',
  'passwd',
  'passphrase',
  'pwd',
  'pass',
  'secret',
  'token',
  'apikey',
  'credential',
  'credentials',
]

/** Words before `key` that make it a credential: `API_KEY`, `accessKey`; `partition-key` is none. */
const keyWords = ['access', 'account', 'api', 'auth', 'encryption', 'master', 'private', 'secret', 'signing']

/** Words before `secret` that make it the name of a Secret: `TLS_SECRET`, `imagePullSecret`. */
const secretNameWords = ['cert', 'certificate', 'image', 'k8s', 'kubernetes', 'pull', 'tls']

/** Whether a name, of a variable or a key, is that of a credential itself, not of its file, its user or its lifetime. */
export function isCredentialName(name: string): boolean {
  const parts = name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
  const last = parts.at(-1) ?? ''
  const before = parts.at(-2)
  if (last === 'key') return before !== undefined && keyWords.includes(before)
  // `PWD` alone is the working directory.
  if (last === 'pwd' || last === 'pass') return before !== undefined
  if (last === 'secret' && before !== undefined && secretNameWords.includes(before)) return false
  return words.includes(last)
}

/** Whether a value of such a name is the credential, and not a switch, a number, a path, an address or a placeholder for it. */
export function isLiteral(value: string): boolean {
  if (/^(|true|false|yes|no|on|off|none|null|enabled|disabled|required|optional|[\d.]+|[*x.]+|redacted)$/i.test(value))
    return false
  return !/^(\/|\.\/|file:)|:\/\/|[$%]\(|\$\{|\{\{|^[<[$%{].*|^vault:/.test(value)
}

/** Credentials that can be recognized by their form, each named as in messages. */
const forms: readonly (readonly [name: string, form: RegExp])[] = [
  ['a private key', /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----/],
  ['an AWS access key', /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/],
  ['an Anthropic key', /\bsk-ant-[\w-]{20,}/],
  ['an Azure storage key', /\bAccountKey=[A-Za-z0-9+/]{40,}/],
  ['a DigitalOcean token', /\bdo[opr]_v1_[a-f0-9]{64}\b/],
  ['a Docker Hub token', /\bdckr_pat_[\w-]{20,}/],
  ['a GitHub token', /\bgh[oprsu]_[A-Za-z0-9]{36,}\b|\bgithub_pat_\w{82}\b/],
  ['a GitLab token', /\bglpat-[\w-]{20,}/],
  ['a Google API key', /\bAIza[\w-]{35}\b/],
  ['a HashiCorp Vault token', /\bhv[brs]\.[\w-]{20,}/],
  ['a Hugging Face token', /\bhf_[A-Za-z0-9]{30,}\b/],
  ['a JSON Web Token', /\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}/],
  ['an npm token', /\bnpm_[A-Za-z0-9]{36}\b/],
  ['an OpenAI key', /\bsk-[\w-]*T3BlbkFJ[\w-]+/],
  ['a PyPI token', /\bpypi-AgEI[\w-]{20,}/],
  ['a Redis password', /^\s*(?:requirepass|masterauth)\s+[^\s"'$]+|^user\s+\S+\s(?:.*\s)?>[^\s$]+/m],
  ['registry credentials', /"auth"\s*:\s*"[A-Za-z0-9+/]{8,}={0,2}"/],
  ['a SendGrid key', /\bSG\.[\w-]{16,32}\.[\w-]{16,64}/],
  ['a Slack token', /\bxox[abeoprs]-[\w-]{10,}|hooks\.slack\.com\/services\/T\w+\/B\w+\/\w+/],
  ['a Stripe key', /\b[rs]k_(?:live|test)_[A-Za-z0-9]{20,}/],
]

const urlWithPassword = /\b[a-z][a-z0-9+.-]{0,30}:\/\/[^\s/?#@:'"]*:([^\s/?#@'"]+)@/gi

/** A credential in a text, recognized by its form; undefined when there is none. The text itself is never repeated. */
export function credentialIn(value: string): string | undefined {
  for (const [name, form] of forms) if (form.test(value)) return name
  for (const [, password = ''] of value.matchAll(urlWithPassword)) {
    if (isLiteral(password) && !/^pass(word)?$/i.test(password)) return 'a URL with a password'
  }
  return undefined
}

/** A setting of a file, `name = value` or `name: value`, that sets a password or key; undefined when there is none. */
export function passwordSetting(content: string): string | undefined {
  for (const [, name = '', value = ''] of content.matchAll(
    /^[ \t]*["']?([\w.-]+)["']?[ \t]*[:=][ \t]*["']?([^\s"',;#]+)/gm,
  )) {
    // In a file a bare `secret` or `token` is too often the name of something.
    if (!isCredentialName(name) || /(?:^|[^A-Za-z])(?:token|secret|pass|credentials?)$/i.test(name)) continue
    if (isLiteral(value) && !/^(string|password|text)$/i.test(value)) return name
  }
  return undefined
}
