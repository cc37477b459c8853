/**
 * Looks every few milliseconds until it is so; a wait in vain says what for.
 * @param what as in "it is still not so that …"
 */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  timeoutMs = 30_000,
): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`After ${timeoutMs} ms it is still not so that ${what}.`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
