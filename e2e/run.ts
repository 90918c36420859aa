import { type Cluster, environmentNamespace } from '#cluster/client.ts'
import type { Engine } from '#system/container-engine.ts'

export const namespace = environmentNamespace

/** One thing that the platform is tested for; runs alone, and leaves the platform as it found it. */
export interface Scenario {
  readonly name: string
  readonly title: string
  run(run: Run): Promise<void>
}

/** A value that a scenario measured. With a goal, missing it is a failure. */
export interface Figure {
  readonly scenario: string
  readonly what: string
  readonly value: number
  readonly unit: string
  readonly atMost?: number
}

/** An expectation and whether it was met. */
export interface Verdict {
  readonly scenario: string
  readonly what: string
  readonly holds: boolean
  /** What was seen instead. */
  readonly seen?: string
}

/** What the scenarios work with. */
export interface Run {
  readonly cluster: Cluster
  readonly engine: Engine
  readonly root: string
  readonly httpsPort: number
  readonly certificate: string
  readonly key: string
  readonly tenant: string
  measure(what: string, value: number, unit: string, atMost?: number): void
  expect(what: string, holds: boolean, seen?: string): void
  /** Marks a moment on the timeline. */
  event(what: string): void
  /** Undone in reverse order after the scenario, also when it fails or the run is interrupted. */
  cleanup(undo: () => Promise<unknown>): void
  readonly signal: AbortSignal
  /** Milliseconds since 1970. */
  readonly began: number
  /** The alerts that the faults of this run have to fire. */
  readonly causes: Set<string>
  /** Adds a part to the report, as HTML. */
  attach(title: string, html: string): void
}
