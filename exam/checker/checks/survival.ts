import { type Check, found } from '../history.ts'

/** What a process says when something happened that cannot happen. */
const CONFESSION =
  /unhandled ?rejection|uncaught|a bug in an operation|a batch could not be committed|an operation could not be committed|AssertionError/i

/** C13: no process ended unasked, and none met a state that cannot be. */
export const survival: Check = ({ processes = [] }) =>
  processes.flatMap(({ name, unaskedExits, lines }) => [
    ...found('C13', `ends of ${name} that nobody asked for`, unaskedExits),
    ...found(
      'C13',
      `bugs confessed by ${name}`,
      lines.filter((line) => CONFESSION.test(line)),
    ),
  ])
