import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findFaketime } from '../../scripts/prepare/exam-tools.mjs'
import type { RowContext } from '../row.ts'

/** The library looks at its file again after this. */
const NOTICED_MS = 1_000

/** A wall clock that can be set while a process runs by it; the time that timers count, which never jumps, is left alone. */
export class BentClock {
  readonly env: Readonly<Record<string, string>>
  readonly #file: string

  /** @throws if the library is not installed */
  constructor({ onEnd }: RowContext) {
    const library = findFaketime()
    if (!library) throw new Error('A library that bends clocks is needed (apt-get install libfaketime).')
    const folder = mkdtempSync(join(tmpdir(), 'parley-clock-'))
    onEnd(() => rmSync(folder, { recursive: true, force: true }))
    this.#file = join(folder, 'offset')
    this.#write(0)
    this.env = {
      LD_PRELOAD: library.replace(/libfaketime\.so/, 'libfaketimeMT.so'),
      FAKETIME_TIMESTAMP_FILE: this.#file,
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      FAKETIME_CACHE_DURATION: String(NOTICED_MS / 1_000),
      // Otherwise time stamps of files would be bent as well.
      NO_FAKE_STAT: '1',
    }
  }

  /** Sets it so many seconds off the right time, and waits until that is noticed. */
  async set(seconds: number): Promise<void> {
    this.#write(seconds)
    await new Promise((resolve) => setTimeout(resolve, 2 * NOTICED_MS))
  }

  #write(seconds: number): void {
    writeFileSync(`${this.#file}.new`, `${seconds < 0 ? '' : '+'}${seconds}\n`)
    renameSync(`${this.#file}.new`, this.#file)
  }
}
