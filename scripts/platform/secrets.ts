import { createHash, createHmac } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { generate } from 'selfsigned'
import { parse } from 'yaml'
import { UsageError } from '#cli/errors.ts'
import { at, fields, items, strings, text, type Value } from '#kubernetes/model/objects.ts'

/** A Secret to apply, its values in the clear. */
export interface SecretManifest {
  readonly apiVersion: 'v1'
  readonly kind: 'Secret'
  readonly metadata: { readonly name: string; readonly namespace: string; readonly labels: Record<string, string> }
  readonly type: string
  readonly stringData: Record<string, string>
}

/** Where the ExternalSecrets of staging and prod are written down. */
const folder = 'components/external-secrets'

/**
 * The Secrets that External Secrets creates in staging and prod, from the same ExternalSecrets and templates, with values derived from
 * a seed instead of read from a store. The same seed always gives the same passwords, so a missing Secret can be created again.
 * The certificate of the Gateway is self-signed and new at each call.
 * @param names of the Secrets
 * @param hosts the names the certificate is for
 * @throws UsageError when no ExternalSecret describes one of the names, or its template uses an unsupported function
 */
export async function deriveSecrets(
  root: string,
  namespace: string,
  names: readonly string[],
  hosts: readonly string[],
  seed: Buffer,
): Promise<SecretManifest[]> {
  const certificate = await selfSigned(hosts)
  const store = (key: string, property: string) =>
    key === 'gateway-tls' ? certificate[property] : derive(seed, `${key}/${property}`)
  return names.map((name) => {
    const file = join(root, folder, `${name}.yaml`)
    if (!existsSync(file))
      throw new UsageError(`nothing describes the Secret "${name}"; expected the ExternalSecret ${folder}/${name}.yaml`)
    const { target, data } = fields(fields(parse(readFileSync(file, 'utf8'))).spec)
    const values: Record<string, string> = {}
    for (const entry of items(data)) {
      values[text(at(entry, 'secretKey')) ?? ''] =
        store(text(at(entry, 'remoteRef', 'key')) ?? '', text(at(entry, 'remoteRef', 'property')) ?? '') ?? ''
    }
    return {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {
        name,
        namespace,
        labels: { 'app.kubernetes.io/managed-by': 'bootstrap', 'app.kubernetes.io/part-of': 'inference-platform' },
      },
      type: text(at(target, 'template', 'type')) ?? 'Opaque',
      stringData: compose(root, at(target, 'template'), values),
    }
  })
}

/** 32 characters that need no escaping anywhere, 192 bits of the seed's strength. */
function derive(seed: Buffer, purpose: string): string {
  return createHmac('sha256', seed).update(purpose).digest('base64url').slice(0, 32)
}

/** What External Secrets writes: the values as they are, or what the template makes of them. */
function compose(root: string, template: Value, values: Record<string, string>): Record<string, string> {
  const parts = strings(at(template, 'data'))
  for (const source of items(at(template, 'templateFrom'))) {
    for (const item of items(at(source, 'configMap', 'items'))) {
      const key = text(at(item, 'key')) ?? ''
      parts[key] = readFileSync(join(root, folder, templateFile(root, key)), 'utf8')
    }
  }
  if (Object.keys(parts).length === 0) return values
  return Object.fromEntries(Object.entries(parts).map(([key, content]) => [key, fill(content, values)]))
}

/** The file behind a key of the ConfigMap credential-templates: `users.json=rabbitmq-users.tmpl`. */
function templateFile(root: string, key: string): string {
  const kustomization = parse(readFileSync(join(root, folder, 'kustomization.yaml'), 'utf8')) as Value
  const files = items(at(kustomization, 'configMapGenerator')).flatMap((generator) => items(at(generator, 'files')))
  const entry = files.find((file) => text(file)?.startsWith(`${key}=`))
  if (entry === undefined)
    throw new UsageError(`${folder}/kustomization.yaml generates no key "${key}", which an ExternalSecret reads`)
  return (entry as string).slice(key.length + 1)
}

const functions: Record<string, (value: string) => string> = {
  toJson: (value) => JSON.stringify(value),
  sha256sum: (value) => createHash('sha256').update(value).digest('hex'),
}

/** Fills in the part of Go's templates that ours use: comments, `{{ .name }}` and `{{ .name | function }}`. */
function fill(template: string, values: Record<string, string>): string {
  const uncommented = template.replace(/(?:\{\{-? *)\/\*[\s\S]*?\*\/(?: *-?\}\})\n?/g, '')
  return uncommented.replace(/\{\{ *(.*?) *\}\}/g, (whole, expression: string) => {
    const [, name = '', call] = /^\.([\w-]+)(?: *\| *(\w+))?$/.exec(expression) ?? []
    const value = values[name]
    const apply = call === undefined ? (plain: string) => plain : functions[call]
    if (value === undefined || apply === undefined)
      throw new UsageError(
        `the template expression ${whole} is not understood here; expected {{ .name }} or {{ .name | ${Object.keys(functions).join(' or ')} }}`,
      )
    return apply(value)
  })
}

async function selfSigned(hosts: readonly string[]): Promise<Record<string, string>> {
  const year = 365 * 24 * 3600 * 1000
  const pems = await generate([{ name: 'commonName', value: hosts[0] ?? 'localhost' }], {
    keyType: 'ec',
    notAfterDate: new Date(Date.now() + year),
    extensions: [{ name: 'subjectAltName', altNames: hosts.map((value) => ({ type: 2, value })) }],
  })
  return { 'tls.crt': pems.cert, 'tls.key': pems.private }
}
