import { type Check, found } from '../history.ts'

/** C11: at rest nothing waits any more: no promise of the SDK, nothing in an outbox. */
export const hanging: Check = ({ devices }) =>
  devices.flatMap(({ name, leftInOutbox, unsettled }) => [
    ...found('C11', `operations stuck in the outbox of ${name}`, leftInOutbox),
    ...found('C11', `calls on ${name} that never settled`, unsettled),
  ])
