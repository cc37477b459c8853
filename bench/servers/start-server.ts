/** A server in a process of its own, on a fresh folder, and what can be said of it from outside. */
import { type ChildProcess, fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { CreatedApp } from '@parley/server'
import { cpuSeconds, openFiles, peakMiB, proportionalKiB, residentMiB } from '../figures/process-figures.ts'
import { Mailbox } from '../load/mailbox.ts'
import type { Asked } from './control.ts'

export type ServerReady =
  | { readonly kind: 'parley'; readonly port: number; readonly app: CreatedApp }
  | { readonly kind: 'reference'; readonly port: number }
  /** Says back what it hears. */
  | { readonly kind: 'echo'; readonly port: number }

export class Server {
  readonly ready: ServerReady
  readonly folder: string
  readonly #child: ChildProcess
  readonly #mailbox: Mailbox

  private constructor(child: ChildProcess, mailbox: Mailbox, ready: ServerReady, folder: string) {
    this.#child = child
    this.#mailbox = mailbox
    this.ready = ready
    this.folder = folder
  }

  /** @param program a file of this folder, without its ending; it is told its folder, and what else it has to know */
  static async start(program: string, ...told: readonly string[]): Promise<Server> {
    const folder = mkdtempSync(join(tmpdir(), 'parley-bench-'))
    const file = fileURLToPath(new URL(`./${program}.js`, import.meta.url))
    const child = fork(file, [folder, ...told], { execArgv: ['--expose-gc'] })
    const mailbox = new Mailbox(child)
    const { answer } = (await mailbox.next()) as { answer: ServerReady }
    return new Server(child, mailbox, answer, folder)
  }

  get cpuSeconds(): number {
    return cpuSeconds(this.#child.pid!)
  }

  get peakMiB(): number {
    return peakMiB(this.#child.pid!)
  }

  get residentMiB(): number {
    return residentMiB(this.#child.pid!)
  }

  get proportionalKiB(): number {
    return proportionalKiB(this.#child.pid!)
  }

  get openFiles(): number {
    return openFiles(this.#child.pid!)
  }

  /** Collects garbage, and answers what is left. */
  settle(): Promise<NodeJS.MemoryUsage> {
    return this.#ask({ ask: 'settle' }) as Promise<NodeJS.MemoryUsage>
  }

  /** Kinds of what keeps its event loop busy: timers, sockets, files. */
  active(): Promise<readonly string[]> {
    return this.#ask({ ask: 'active' }) as Promise<readonly string[]>
  }

  profile(): Promise<unknown> {
    return this.#ask({ ask: 'profile' })
  }

  profiled(file: string): Promise<unknown> {
    return this.#ask({ ask: 'profiled', file })
  }

  /** Kills it and deletes what it stored. */
  async close(): Promise<void> {
    const exited = new Promise((resolve) => this.#child.once('exit', resolve))
    if (this.#child.kill('SIGKILL')) await exited
    rmSync(this.folder, { recursive: true, force: true })
  }

  async #ask(asked: Asked): Promise<unknown> {
    this.#child.send(asked)
    return ((await this.#mailbox.next()) as { answer: unknown }).answer
  }
}
