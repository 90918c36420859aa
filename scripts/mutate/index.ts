import { adoption } from './adoption.ts'
import { delivered } from './applications.ts'
import { broker } from './broker.ts'
import { configuration } from './configuration.ts'
import { delivery } from './delivery.ts'
import { disruption } from './disruption.ts'
import { exposure } from './exposure.ts'
import { jobs } from './jobs.ts'
import { monitoring } from './monitoring.ts'
import type { MutationClass } from './mutation.ts'
import { network } from './network.ts'
import { ports } from './ports.ts'
import { probes } from './probes.ts'
import { references } from './references.ts'
import { resources } from './resources.ts'
import { scaling } from './scaling.ts'
import { security } from './security.ts'
import { selectors } from './selectors.ts'
import { storage } from './storage.ts'
import { syntax } from './syntax.ts'

/** The families of faults, in the order of the report. */
export const families: Readonly<Record<string, readonly MutationClass[]>> = {
  syntax,
  selectors,
  ports,
  references,
  configuration,
  network,
  scaling,
  disruption,
  probes,
  security,
  resources,
  storage,
  jobs,
  broker,
  exposure,
  monitoring,
  delivery,
  applications: delivered,
  adoption,
}

export const classes: readonly MutationClass[] = Object.values(families).flat()
