import { expectation, type Variables } from '@inference/common/variables.ts'
import { containerEnv } from '#kubernetes/configuration/container-env.ts'
import type { Environment } from '#kubernetes/model/environment.ts'
import { at, text } from '#kubernetes/model/objects.ts'
import type { Container, Workload } from '#kubernetes/model/workloads.ts'
import * as collector from '../../apps/collector/src/config.ts'
import * as gateway from '../../apps/gateway/src/config.ts'
import * as worker from '../../apps/worker/src/config.ts'

/** The services built from this repository and the variables that each program of their images reads. */
const services: Readonly<Record<string, Readonly<Record<string, Variables>>>> = {
  gateway: gateway.programs,
  worker: worker.programs,
  collector: collector.programs,
}

/** The variables that each program of an image reads, by `image/file`. */
export const programs: Readonly<Record<string, Variables>> = Object.fromEntries(
  Object.entries(services).flatMap(([service, files]) =>
    Object.entries(files).map(([file, definitions]) => [`${service}/${file}`, definitions]),
  ),
)

const ourImage = new RegExp(`(?:^|/)inference-(${Object.keys(services).join('|')})(?:[:@]|$)`)

/** The program of this platform that a container runs: its image and file; undefined for other images and commands. */
export function programOf({ image, raw }: Container): { image: string; file: string } | undefined {
  const service = ourImage.exec(image)?.[1]
  if (service === undefined || at(raw, 'command') !== undefined) return undefined
  const argument = text(at(raw, 'args', 0)) ?? 'dist/main.js'
  const file = /^dist\/(.+)\.js$/.exec(argument)?.[1]
  return file === undefined ? undefined : { image: service, file }
}

/** The variables that a program reads; undefined where its image has no such program. */
export function variablesOf({ image, file }: { image: string; file: string }): Variables | undefined {
  const key = `${image}/${file}`
  return Object.hasOwn(programs, key) ? programs[key] : undefined
}

/** One variable that is missing or not valid; `set` is false where it is missing. */
interface Fault {
  readonly name: string
  readonly set: boolean
  readonly message: string
}

/** What a program will report about its environment at start. */
export function* faultsOf(
  environment: Environment,
  workload: Workload,
  container: Container,
  definitions: Variables,
): Generator<Fault> {
  const { variables: values, complete } = containerEnv(environment, workload.object, container)
  for (const [name, variable] of Object.entries(definitions)) {
    if (values.has(`${name}_FILE`)) continue
    if (!values.has(name) || values.get(name) === '') {
      const required = variable.default === undefined && !variable.optional
      if (required && complete)
        yield { name, set: false, message: `is not set, nor ${name}_FILE; the program has no default for it` }
      continue
    }
    const value = values.get(name)
    const expected = value === undefined ? undefined : expectation(variable, value)
    if (expected !== undefined) yield { name, set: true, message: `is "${value}"; expected ${expected}` }
  }
}
