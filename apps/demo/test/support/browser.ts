import { existsSync, mkdirSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type BrowserContext, chromium, type Page } from 'playwright-core'

export const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium'
const pictures = fileURLToPath(new URL('../../../../artifacts/journeys/', import.meta.url))

export const browserArgs = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

export interface DeviceOptions {
  readonly name: string
  readonly colorScheme?: 'light' | 'dark'
  readonly size?: { readonly width: number; readonly height: number }
  /** Pixels of the picture to one of the page. */
  readonly scale?: number
}

/**
 * A browser with a profile of its own on disk: what survives in it survives closing and opening it again. Everything
 * that should never happen on a page is collected in `complaints`.
 */
export class Device {
  readonly complaints: string[] = []
  readonly dialogs: string[] = []
  readonly #options: DeviceOptions
  readonly #profile: string
  #context: BrowserContext | undefined
  #page: Page | undefined

  constructor(options: DeviceOptions) {
    this.#options = options
    this.#profile = join(
      tmpdir(),
      `parley-journey-${process.pid}-${options.name}-${Math.random().toString(36).slice(2)}`,
    )
  }

  get page(): Page {
    if (!this.#page) throw new Error(`The browser of ${this.#options.name} is closed.`)
    return this.#page
  }

  get context(): BrowserContext {
    return this.page.context()
  }

  async open(address: string): Promise<void> {
    if (!existsSync(executablePath))
      throw new Error(`There is no browser at ${executablePath}; CHROMIUM names another.`)
    this.#context = await chromium.launchPersistentContext(this.#profile, {
      executablePath,
      args: browserArgs,
      viewport: this.#options.size ?? { width: 1180, height: 780 },
      colorScheme: this.#options.colorScheme ?? 'light',
      deviceScaleFactor: this.#options.scale ?? 1,
    })
    this.#page = this.#context.pages()[0] ?? (await this.#context.newPage())
    this.#listen(this.#page)
    await this.#page.goto(address)
  }

  async close(): Promise<void> {
    await this.#context?.close()
    this.#context = undefined
    this.#page = undefined
  }

  /** Closes the browser and forgets its profile. */
  async discard(): Promise<void> {
    await this.close()
    await rm(this.#profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  }

  /** Keeps a picture as an artefact of the run. */
  async picture(name: string): Promise<void> {
    mkdirSync(pictures, { recursive: true })
    await this.page.screenshot({ path: join(pictures, `${name}.png`) })
  }

  #listen(page: Page): void {
    page.on('pageerror', (error) => this.complaints.push(`error: ${error.message}`))
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') {
        this.complaints.push(`${message.type()}: ${message.text()}`)
      }
    })
    page.on('dialog', (dialog) => {
      this.dialogs.push(dialog.message())
      void dialog.dismiss()
    })
  }
}
