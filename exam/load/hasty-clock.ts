/** Clocks that go so many times as fast as ours, for what takes minutes in life. */
export function hastyClock(speed: number) {
  const startedAt = performance.now()
  const wallStartedAt = Date.now()
  const passed = () => (performance.now() - startedAt) * speed
  return {
    now: passed,
    wall: () => wallStartedAt + passed(),
    after(ms: number, task: () => void) {
      const timer = setTimeout(task, ms / speed)
      return () => clearTimeout(timer)
    },
  }
}

/** The same for a server, whose only clock is on the wall. */
export function hastyServerClock(speed: number) {
  const { wall, after } = hastyClock(speed)
  return { now: () => Math.floor(wall()), after }
}
