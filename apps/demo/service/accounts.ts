import { createHash, randomBytes } from 'node:crypto'
import { loadSqlite } from '@parley/sqlite'
import { hashPassword, isPassword } from './password.ts'

const Sqlite = loadSqlite()

export interface Account {
  readonly userId: string
  readonly displayName: string
}

export type Accounts = Awaited<ReturnType<typeof openAccounts>>

export const SESSION_SECONDS = 30 * 24 * 3600

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS accounts (user_id TEXT PRIMARY KEY, display_name TEXT NOT NULL, password TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS sessions (token_hash BLOB PRIMARY KEY, user_id TEXT NOT NULL, expires_at INTEGER NOT NULL);
`

/** The people of the app, their passwords (hashed) and their browser sessions (hashed too), in one SQLite file. */
export async function openAccounts(file: string, cost: number, now: () => number) {
  const db = new Sqlite(file)
  db.pragma('journal_mode = WAL')
  db.exec(SCHEMA)
  const account = 'user_id AS userId, display_name AS displayName'
  const insert = db.prepare('INSERT INTO accounts VALUES (?, ?, ?) ON CONFLICT DO NOTHING')
  const find = db.prepare(`SELECT ${account}, password FROM accounts WHERE user_id = ?`)
  const open = db.prepare('INSERT INTO sessions VALUES (?, ?, ?)')
  const resume = db.prepare(
    `SELECT ${account} FROM sessions JOIN accounts USING (user_id) WHERE token_hash = ? AND expires_at > ?`,
  )
  const end = db.prepare('DELETE FROM sessions WHERE token_hash = ? OR expires_at <= ?')
  // Compared with when there is no such person, so that finding that out takes as long as a wrong password.
  const nobody = await hashPassword(randomBytes(16).toString('hex'), cost)

  return {
    /** False when the name is taken. */
    async create({ userId, displayName }: Account, password: string): Promise<boolean> {
      return insert.run(userId, displayName, await hashPassword(password, cost)).changes === 1
    },
    async authenticate(userId: string, password: string): Promise<Account | undefined> {
      const found = find.get(userId) as (Account & { password: string }) | undefined
      const isRight = await isPassword(password, found?.password ?? nobody)
      return found && isRight ? { userId: found.userId, displayName: found.displayName } : undefined
    },
    startSession(userId: string): string {
      const token = randomBytes(32).toString('base64url')
      open.run(sha256(token), userId, now() + SESSION_SECONDS * 1000)
      return token
    },
    ofSession: (token: string) => resume.get(sha256(token), now()) as Account | undefined,
    endSession: (token: string) => void end.run(sha256(token), now()),
    close: () => void db.close(),
  }
}

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest()
