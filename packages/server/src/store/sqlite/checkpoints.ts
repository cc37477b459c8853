/**
 * A thread that moves committed pages from the write-ahead log into the database, so that the writer seldom has to: a
 * checkpoint writes pages all over the file, and a commit that triggers one would take as long as hundreds of others. It
 * makes room in the log as well.
 * It also looks through a store that is too large to be looked through before the start, and says what is damaged.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { openDatabase } from './database.ts'
import { makeWalRoom } from './wal-room.ts'

const CHECKPOINT_MS = 500

const { file } = workerData as { readonly file: string }
const db = openDatabase(file)
const damage = db.lateDamage()
if (damage) parentPort?.postMessage({ damage })

const timer = setInterval(() => {
  try {
    const { log } = db.sql('PRAGMA wal_checkpoint(PASSIVE)').get() as { readonly log: number }
    makeWalRoom(db, file, log)
  } catch {
    // A full or failing disk is the writer's to report; here it only means trying again.
  }
}, CHECKPOINT_MS)

parentPort?.on('message', () => {
  clearInterval(timer)
  db.close()
  parentPort?.close()
})
