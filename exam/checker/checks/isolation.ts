import { type Check, found } from '../history.ts'

/** C14: nobody was sent, and no log holds, what was marked as not for them. */
export const isolation: Check = ({ bytes = [] }) =>
  bytes.flatMap(({ name, text, canaries }) =>
    found(
      'C14',
      `secrets in ${name}`,
      canaries.filter((canary) => text.includes(canary)),
    ),
  )
