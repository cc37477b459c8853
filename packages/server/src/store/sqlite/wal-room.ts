import { closeSync, fstatSync, fsyncSync, openSync, statfsSync, writeSync } from 'node:fs'
import type { Database } from './database.ts'

/** Pages in the write-ahead log beyond which the writer itself moves them into the database. */
export const MAX_WAL_PAGES = 8_000
/** The room that is made: those pages, 4 KiB and a header each, and a batch beyond them. */
const ROOM_BYTES = 36 * 1024 * 1024
/** Made at a time: while it is made nobody commits, and the next flush has to take it along. */
const STEP_BYTES = 1024 * 1024
/** A store with less than this in its log is seldom written to and needs no room. */
const BUSY_PAGES = 1_000
/** No more of a disk is taken in advance than one such part of what is free. */
const PART_OF_DISK = 8

/**
 * Makes room for the write-ahead log of a store that is written to often. A flush of a file that has grown has to flush the
 * file system's own journal as well, and takes twice as long as one that only wrote over what was there; and a commit is
 * little else than its flush. SQLite never shortens the log, it writes over it from the beginning: room is made once.
 *
 * The room is zeros, which SQLite takes for the end of the log: no frame of it has a page of number 0.
 *
 * @param usedPages how much of the log is in use
 */
export function makeWalRoom(db: Database, file: string, usedPages: number): void {
  if (usedPages < BUSY_PAGES) return
  const wal = openSync(`${file}-wal`, 'r+')
  try {
    const missing = ROOM_BYTES - fstatSync(wal).size
    const { bavail, bsize } = statfsSync(file)
    if (missing > (bavail * bsize) / PART_OF_DISK) return
    while (lengthen(db, wal)) fsyncSync(wal)
  } finally {
    closeSync(wal)
  }
}

/** @returns whether anything was missing */
function lengthen(db: Database, wal: number): boolean {
  // Whoever commits may make the file longer: nobody does meanwhile.
  return db.transaction('write', () => {
    const { size } = fstatSync(wal)
    if (size >= ROOM_BYTES) return false
    writeSync(wal, ZEROS, 0, Math.min(STEP_BYTES, ROOM_BYTES - size), size)
    return true
  })
}

const ZEROS = Buffer.alloc(STEP_BYTES)
