import { convergence } from './checks/convergence.ts'
import { divergence } from './checks/divergence.ts'
import { drift } from './checks/drift.ts'
import { duplicate } from './checks/duplicate.ts'
import { hanging } from './checks/hanging.ts'
import { holes } from './checks/holes.ts'
import { inversion } from './checks/inversion.ts'
import { isolation } from './checks/isolation.ts'
import { leak } from './checks/leak.ts'
import { lost } from './checks/lost.ts'
import { phantom } from './checks/phantom.ts'
import { survival } from './checks/survival.ts'
import { vanished } from './checks/vanished.ts'
import { wakeUp } from './checks/wake-up.ts'
import type { Check, Finding, History } from './history.ts'

/** The standing checks: what must hold in every row, whatever the fault. */
export const checks = {
  C1: lost,
  C2: phantom,
  C3: duplicate,
  C4: divergence,
  C5: holes,
  C6: inversion,
  C7: vanished,
  C8: convergence,
  C9: drift,
  C10: wakeUp,
  C11: hanging,
  C12: leak,
  C13: survival,
  C14: isolation,
} as const satisfies Record<string, Check>

export type CheckId = keyof typeof checks

/** Everything that is wrong with a history. A row that measures one of these by its own rule leaves it out. */
export function check(history: History, options: { readonly except?: readonly CheckId[] } = {}): readonly Finding[] {
  return (Object.keys(checks) as CheckId[])
    .filter((id) => !options.except?.includes(id))
    .flatMap((id) => checks[id](history))
}
