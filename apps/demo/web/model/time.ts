/** Instants as people say them. `now` is an argument, so that a test can hold it still. */

const time = new Intl.DateTimeFormat('en', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
const weekday = new Intl.DateTimeFormat('en', { weekday: 'long' })
const date = new Intl.DateTimeFormat('en', { day: 'numeric', month: 'short' })
const dateWithYear = new Intl.DateTimeFormat('en', { day: 'numeric', month: 'short', year: 'numeric' })
const full = new Intl.DateTimeFormat('en', { dateStyle: 'full', timeStyle: 'short', hourCycle: 'h23' })

const DAY_MS = 86_400_000

export const clockTime = (at: string): string => time.format(new Date(at))
export const fullTime = (at: string): string => full.format(new Date(at))

/** "Today", "Yesterday", "Tuesday", "Nov 3", "Nov 3, 2024". */
export function dayLabel(at: string, now: Date): string {
  const when = new Date(at)
  const days = Math.round((startOfDay(now) - startOfDay(when)) / DAY_MS)
  if (days === 0) return 'Today'
  if (days === 1) return 'Yesterday'
  if (days > 1 && days < 7) return weekday.format(when)
  return (when.getFullYear() === now.getFullYear() ? date : dateWithYear).format(when)
}

/** For a list: the time today, the day before that. */
export function shortTime(at: string, now: Date): string {
  return isSameDay(new Date(at), now) ? clockTime(at) : dayLabel(at, now)
}

export function isSameDay(a: Date, b: Date): boolean {
  return startOfDay(a) === startOfDay(b)
}

function startOfDay(when: Date): number {
  return new Date(when.getFullYear(), when.getMonth(), when.getDate()).getTime()
}
