import type { Sample, Scenario, ServerKind } from './scenario.ts'

/** One scenario on one server, once. */
export interface Run {
  readonly scenario: Scenario
  readonly server: ServerKind
  readonly round: number
  readonly sample: Sample
}
