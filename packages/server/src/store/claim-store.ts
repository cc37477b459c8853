/** The claims' part of the store: several processes agree on who does what one need do. */

/** Which process does what only one of them need do. */
export interface ClaimStore {
  /**
   * Claims a piece of work for so long, by the store's clock, or holds on to it. Answers whether it is the holder's until
   * then: not if it is somebody else's. Whoever is away for longer loses it and may not know, so it is for work that may be
   * done twice.
   * @param ms 0 gives it up
   */
  claim(work: string, holder: string, ms: number): Promise<boolean>
}
