/**
 * The reference on PostgreSQL: a group is one statement, which inserts arrays into one table, with `synchronous_commit`. One
 * group is on its way at a time.
 */
import pg from 'pg'
import { serveReference } from './reference-server.ts'

const [, url] = process.argv.slice(2)
const db = new pg.Client({ connectionString: url })
await db.connect()
await db.query(
  'CREATE TABLE messages (room uuid, seq bigint, id uuid, sender text, body text, PRIMARY KEY (room, seq))',
)
const INSERT = {
  name: 'insert',
  text: 'INSERT INTO messages SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::text[], $5::text[])',
}
const HISTORY = {
  name: 'history',
  text: 'SELECT id, room, seq, sender, body FROM messages WHERE room = $1 ORDER BY seq',
}

serveReference({
  append(messages, done) {
    const columns = [
      messages.map(({ room }) => room),
      messages.map(({ seq }) => seq),
      messages.map(({ id }) => id),
      messages.map(({ from }) => from),
      messages.map(({ body }) => body),
    ]
    db.query({ ...INSERT, values: columns }).then(done, (error: Error) => {
      console.error(error)
      process.exit(1)
    })
  },
  async *history(room) {
    yield* (await db.query({ ...HISTORY, values: [room] })).rows
  },
})
