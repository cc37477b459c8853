import type { Page } from './page.ts'

interface Ear {
  readonly page: Page
  readonly name: string
  readonly hear: (message: unknown) => void
}

/** Broadcast channels of one browser, in order. Nothing is delivered until the test says so. */
export class FakeChannels {
  readonly #ears = new Set<Ear>()
  #underWay: { readonly ear: Ear; readonly message: unknown }[] = []
  /** Everything that was posted. */
  readonly posted: { readonly type?: string }[] = []

  open(page: Page, name: string, hear: (message: unknown) => void): { post(message: unknown): void; close(): void } {
    const ear = { page, name, hear }
    this.#ears.add(ear)
    page.onDeath(() => this.#ears.delete(ear))
    return {
      post: (message) => {
        if (page.isDead || !this.#ears.has(ear)) return
        const copy = structuredClone(message) as { readonly type?: string }
        this.posted.push(copy)
        for (const other of this.#ears) {
          if (other !== ear && other.name === name) this.#underWay.push({ ear: other, message: structuredClone(copy) })
        }
      },
      close: () => this.#ears.delete(ear),
    }
  }

  /** Delivers what is under way; answers how many messages it was. */
  deliver(): number {
    const underWay = this.#underWay
    this.#underWay = []
    for (const { ear, message } of underWay) if (this.#ears.has(ear)) ear.page.run(() => ear.hear(message))
    return underWay.length
  }

  /** What is under way is lost: whoever posted it died a moment earlier. */
  lose(): void {
    this.#underWay = []
  }
}
