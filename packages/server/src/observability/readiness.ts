/**
 * Whether a server should be sent anybody. Each part that can be unable to do its work says so in a sentence while it is;
 * the sentences are shown to anybody who asks, so they name no address and nobody's data.
 */
export class Readiness {
  readonly #parts: (() => string | undefined)[] = []

  /** @param trouble asked whenever somebody wants to know; undefined while all is well */
  expect(trouble: () => string | undefined): void {
    this.#parts.push(trouble)
  }

  /** Why nobody should be sent here at present; none if all is well. */
  get reasons(): readonly string[] {
    return this.#parts.flatMap((trouble) => trouble() ?? [])
  }
}
