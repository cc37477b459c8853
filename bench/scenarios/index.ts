import { catchUpScenario } from './catch-up.ts'
import { chatScenarios } from './chat.ts'
import { idleScenarios } from './idle.ts'
import { nodesScenarios } from './nodes.ts'
import { postgresScenarios } from './postgres.ts'
import { replicaScenarios } from './replica.ts'
import type { Scenario } from './scenario.ts'
import { signInScenarios } from './sign-in.ts'

/** All of them, in the order of the table. */
export const scenarios: readonly Scenario[] = [
  ...chatScenarios,
  ...idleScenarios,
  catchUpScenario,
  ...replicaScenarios,
  ...signInScenarios,
  ...postgresScenarios,
  ...nodesScenarios,
]
