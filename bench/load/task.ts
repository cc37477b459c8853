/** The side of the process that makes load. */

/** Runs once the parent has said what to do, and ends the process after. */
export function task<Input>(run: (input: Input) => Promise<void>): void {
  process.once('message', (input) => {
    run(input as Input).then(
      () => process.exit(),
      (error: Error) => {
        console.error(error.stack)
        process.exit(1)
      },
    )
  })
  process.once('disconnect', () => process.exit())
}

export function tell(message: object | string): void {
  process.send?.(message)
}

/** The next thing the parent says. */
export const heard = <Message>(): Promise<Message> =>
  new Promise((resolve) => process.once('message', (message) => resolve(message as Message)))

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Cores this process has used since, 1 being all that one thread can. */
export function coresMeter(): () => number {
  const before = process.cpuUsage()
  const from = performance.now()
  return () => {
    const { user, system } = process.cpuUsage(before)
    return (user + system) / 1000 / (performance.now() - from)
  }
}

/** Makes `count` things, so many at a time. */
export async function inGroups<T>(count: number, size: number, make: (index: number) => Promise<T>): Promise<T[]> {
  const made: T[] = []
  for (let i = 0; i < count; i += size) {
    made.push(...(await Promise.all(Array.from({ length: Math.min(size, count - i) }, (_, j) => make(i + j)))))
  }
  return made
}
