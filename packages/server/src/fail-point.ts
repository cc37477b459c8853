import type { Committed } from './operations/committed.ts'

/** When the process dies: after a commit and before anybody hears of it, or once listeners have it and nothing is written. */
const moments = ['before-publish', 'after-publish'] as const

/**
 * For examinations of what a crash leaves behind. With `PARLEY_FAIL_POINT` set to a moment and a number, such as
 * `before-publish 20`, the process kills itself without a word at that moment of the 20th batch that holds a message.
 * Without the variable, which is how servers run, what is given is returned as it is. Nothing else reads the variable.
 */
export function withFailPoint(
  publish: (committed: readonly Committed[]) => void,
  setting = process.env.PARLEY_FAIL_POINT,
): (committed: readonly Committed[]) => void {
  if (!setting) return publish
  const [moment, count] = setting.split(' ')
  if (!moments.some((known) => known === moment) || !Number.isInteger(Number(count))) {
    throw new Error(`PARLEY_FAIL_POINT is a moment (${moments.join(', ')}) and a number, not '${setting}'.`)
  }
  let left = Number(count)
  return (committed) => {
    if (committed.some(({ operation }) => operation === 'send-message')) left--
    const isNow = left === 0
    if (isNow && moment === 'before-publish') process.kill(process.pid, 'SIGKILL')
    publish(committed)
    if (isNow) process.kill(process.pid, 'SIGKILL')
  }
}

const counts = new Map<string, number>()

/** The same for what a command does step by step: with `PARLEY_FAIL_POINT` set to `sealed 1`, it dies when it has sealed. */
export function reached(moment: string, setting = process.env.PARLEY_FAIL_POINT): void {
  if (!setting) return
  const count = (counts.get(moment) ?? 0) + 1
  counts.set(moment, count)
  if (setting === `${moment} ${count}`) process.kill(process.pid, 'SIGKILL')
}
