/** CPU time spent to find out. */
const PROBE_MS = 120
/** A machine that is slower than this is no place for an exam; the limits stretch no further. */
export const MAX_SLOWNESS = 8

/**
 * By how much longer everything takes here and now than on a machine with nothing else to do: the time that a little
 * work takes by the clock, over what it takes of a processor. Limits of time are stretched by it, and each line says so.
 */
export function slowness(): number {
  const startedAt = performance.now()
  const before = process.cpuUsage()
  let cpuMs = 0
  while (cpuMs < PROBE_MS) {
    const { user, system } = process.cpuUsage(before)
    cpuMs = (user + system) / 1000
  }
  return Math.min(MAX_SLOWNESS, Math.max(1, (performance.now() - startedAt) / cpuMs))
}
