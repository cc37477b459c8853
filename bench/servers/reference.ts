/** The reference on SQLite: a group is one transaction with `synchronous=FULL`. */
import { loadSqlite } from '@parley/sqlite'
import { serveReference } from './reference-server.ts'

const Sqlite = loadSqlite()

const [folder] = process.argv.slice(2)
const db = new Sqlite(`${folder}/reference.sqlite`)
db.pragma('journal_mode = WAL')
db.pragma('synchronous = FULL')
db.exec(
  'CREATE TABLE messages (room TEXT, seq INTEGER, id TEXT, sender TEXT, body TEXT, PRIMARY KEY (room, seq)) WITHOUT ROWID',
)
const insert = db.prepare('INSERT INTO messages VALUES (?, ?, ?, ?, ?)')
const history = db.prepare('SELECT id, room, seq, sender, body FROM messages WHERE room = ? ORDER BY seq')

serveReference({
  append(messages, done) {
    db.exec('BEGIN IMMEDIATE')
    for (const { room, seq, id, from, body } of messages) insert.run(room, seq, id, from, body)
    db.exec('COMMIT')
    done()
  },
  history: (room) => history.iterate(room),
})
