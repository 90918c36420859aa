import { readFileSync } from 'node:fs'
import { expectation, type Variable, type Variables } from './variables.ts'

type ValueOf<V extends Variable> = V extends { values: readonly (infer Text)[] }
  ? Text
  : V['type'] extends 'boolean'
    ? boolean
    : V['type'] extends 'text'
      ? string
      : number
type OptionalName<D extends Variables> = { [N in keyof D]: D[N] extends { optional: true } ? N : never }[keyof D]

/** The values of the variables that a program picked. */
export type Config<D extends Variables> = { -readonly [N in Exclude<keyof D, OptionalName<D>>]: ValueOf<D[N]> } & {
  -readonly [N in OptionalName<D>]?: ValueOf<D[N]>
}

/**
 * Reads the variables that `definitions` name. `NAME_FILE` may name a file that holds the value of `NAME` instead (a mounted secret).
 * Throws one ConfigurationError that lists every invalid variable, with what was expected; values of secrets are never shown.
 */
export function loadConfig<D extends Variables>(
  definitions: D,
  environment: Record<string, string | undefined> = process.env,
): Config<D> {
  const config: Record<string, string | number | boolean> = {}
  const problems: string[] = []
  for (const [name, variable] of Object.entries(definitions)) {
    try {
      const value = readValue(name, variable, environment)
      if (value !== undefined) config[name] = value
    } catch (error) {
      problems.push((error as Error).message)
    }
  }
  if (problems.length > 0) throw new ConfigurationError(problems)
  return config as Config<D>
}

export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError'
  constructor(problems: string[]) {
    super(`The configuration is not valid:\n${problems.map((problem) => `  ${problem}`).join('\n')}`)
  }
}

/** Loads the configuration of a program; if it is not valid, prints the message alone (no stack) and exits with 78 (EX_CONFIG). */
export function loadConfigOrExit<D extends Variables>(definitions: D): Config<D> {
  try {
    return loadConfig(definitions)
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    console.error(error.message)
    process.exit(78)
  }
}

/** The value of one variable; undefined if it is optional and not set. */
function readValue(name: string, variable: Variable, environment: Record<string, string | undefined>) {
  const text = readText(name, environment)
  if (text === undefined) {
    if (variable.default !== undefined || variable.optional) return variable.default
    throw new Error(`${name}: is missing; set ${name}, or ${name}_FILE to a file that holds it`)
  }
  const expected = expectation(variable, text)
  if (expected !== undefined) {
    const shown = variable.secret ? 'the given value' : JSON.stringify(text)
    throw new Error(`${name}: expected ${expected}, but got ${shown}`)
  }
  if (variable.type === 'text') return text
  return variable.type === 'boolean' ? text === 'true' : Number(text)
}

/** An empty variable counts as not set, and so does an empty file. */
function readText(name: string, environment: Record<string, string | undefined>): string | undefined {
  const file = environment[`${name}_FILE`]
  if (!file) return environment[name] || undefined
  try {
    return readFileSync(file, 'utf8').trim() || undefined
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new Error(`${name}_FILE: cannot read ${file} (${code}); mount the secret there or correct the path`)
  }
}

type Login<Prefix extends string> = Record<`${Prefix}_URL` | `${Prefix}_USERNAME` | `${Prefix}_PASSWORD`, string>

/** Address and login of a store, from its three variables. */
export function loginOf<Prefix extends 'RABBITMQ' | 'REDIS' | 'POSTGRES'>(config: Login<Prefix>, prefix: Prefix) {
  const values: Record<string, string> = config
  const read = (name: string) => values[`${prefix}_${name}`] ?? ''
  return { url: read('URL'), username: read('USERNAME'), password: read('PASSWORD') }
}
