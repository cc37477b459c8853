import type { Account, Accounts } from './accounts.ts'

export type Entry =
  | { readonly state: 'in'; readonly account: Account }
  | { readonly state: 'wrong' }
  | { readonly state: 'wait'; readonly seconds: number }

export type PasswordDoor = (user: string, password: string) => Promise<Entry>

const MAX_FAILURES = 10
const REST_MS = 15 * 60_000
const MAX_NAMES = 10_000

/** The one door for passwords. Ten failures for one name, and it stays shut for a quarter of an hour. */
export function createPasswordDoor(accounts: Accounts, now: () => number): PasswordDoor {
  const failures = new Map<string, { count: number; since: number }>()
  const recent = (name: string) => {
    const found = failures.get(name)
    return found && now() - found.since < REST_MS ? found : { count: 0, since: now() }
  }
  const note = (name: string) => {
    const { count, since } = recent(name)
    failures.delete(name)
    failures.set(name, { count: count + 1, since })
    // Bounded: whoever invents names pushes out the names that were silent longest.
    if (failures.size > MAX_NAMES) failures.delete(failures.keys().next().value ?? name)
  }

  return async (user, password) => {
    // One more than the longest name there is: a longer one is nobody's, and must not fill the memory.
    const name = user.trim().toLowerCase().slice(0, 65)
    const isShut = () => recent(name).count >= MAX_FAILURES
    const account = isShut() ? undefined : await accounts.authenticate(name, password)
    // Asked again after the work: of many guesses sent at once, those that finish late learn nothing.
    if (isShut()) return { state: 'wait', seconds: Math.ceil((recent(name).since + REST_MS - now()) / 1000) }
    if (!account) {
      note(name)
      return { state: 'wrong' }
    }
    failures.delete(name)
    return { state: 'in', account }
  }
}
