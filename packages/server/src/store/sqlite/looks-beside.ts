import type { AppStore, LogStore, SignInFacts } from '../store.ts'
import { type AskedForSignIn, signInFacts } from './apps.ts'
import type { Database } from './database.ts'
import { sqliteLog } from './log.ts'
import { LoneLooks } from './lone-looks.ts'

/** What every sign-in looks up: for itself, and then for the batch that opens its session. */
export type LooksBeside = Pick<AppStore, 'forSignIn'> & Pick<LogStore, 'load'>

/** The store's threads, which look up what is not looked up here. */
export interface LooksThere extends LooksBeside {
  /** Whether the store serves. */
  isOpen(): boolean
}

interface Asking {
  readonly asked: AskedForSignIn
  answer(facts: SignInFacts | undefined | Promise<SignInFacts | undefined>): void
}

/**
 * Looks up a few rows over a connection of this thread, the others by the store's threads (see `lone-looks.ts`). What does
 * not work here is asked there, one by one: a damaged row is the trouble of whoever asked for it, and told in their words.
 */
export function looksBeside(
  beside: Database,
  there: LooksThere,
  lone: Pick<LoneLooks, 'isFor' | 'took'> = new LoneLooks(() => performance.now()),
): LooksBeside {
  const log = sqliteLog(beside)
  let gathered: Asking[] = []

  /** @returns undefined if it is not to be looked up here, or cannot be */
  const here = <Found>(rows: number, look: () => Found): Found | undefined => {
    if (!there.isOpen() || !lone.isFor(rows)) return undefined
    const from = performance.now()
    try {
      return look()
    } catch {
      return undefined
    } finally {
      lone.took(performance.now() - from)
    }
  }

  const answerGathered = () => {
    const together = gathered
    gathered = []
    const asked = together.map((one) => one.asked)
    const found = here(asked.length, () => signInFacts(beside, asked))
    for (const [index, one] of together.entries()) one.answer(found ? found[index] : there.forSignIn(...one.asked))
  }

  return {
    /** Those who sign in together ask one right after the other, and one look is enough for them. */
    forSignIn: (...asked) =>
      new Promise((answer) => {
        if (gathered.push({ asked, answer }) === 1) queueMicrotask(answerGathered)
      }),

    async load(wanted) {
      // A conversation is one row and as many more as it has participants.
      const isFew = wanted.conversations.length === 0 && wanted.distinctKeys.length === 0
      const { messages, people, operations, nonces, sessions } = wanted
      const rows = messages.length + people.length + operations.length + nonces.length + sessions.length
      return (isFew ? here(rows, () => log.load(wanted)) : undefined) ?? there.load(wanted)
    },
  }
}
