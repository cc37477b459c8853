import type { Database } from './database.ts'

/** Messages deleted in one transaction: a small part of the time that a statement may take. */
export const PURGE_PORTION = 1_000

/**
 * In the commit that deletes a conversation: its first messages are deleted at once, which is all of them of most. What
 * remains of a long one is noted, and deleted in portions while nobody waits; nobody can see it any more.
 */
export const purgeAtOnce = `
    IF purged IS NOT NULL THEN
      WITH gone AS (
        DELETE FROM parley.messages m USING json_to_recordset(purged) AS t (app integer, key uuid)
        WHERE m.app = t.app AND m.conversation = t.key AND m.position <= ${PURGE_PORTION} RETURNING m.app, m.id
      )
      DELETE FROM parley.message_ids i USING gone WHERE i.app = gone.app AND i.id = gone.id;
      INSERT INTO parley.purges (app, conversation, below, last)
      SELECT c.app, c.id, ${PURGE_PORTION + 1}, c.head_position
      FROM json_to_recordset(purged) AS t (app integer, key uuid)
      JOIN parley.conversations c ON c.app = t.app AND c.id = t.key
      WHERE c.head_position > ${PURGE_PORTION}
      ON CONFLICT DO NOTHING;
    END IF;`

/** One portion of one conversation, of which each goes to one process at a time. Answers whether there was any. */
export const purgeFunction = `
  CREATE FUNCTION parley.purge_some(portion bigint) RETURNS boolean LANGUAGE plpgsql AS $$
  DECLARE
    one parley.purges;
  BEGIN
    SELECT * INTO one FROM parley.purges p ORDER BY p.app, p.conversation LIMIT 1 FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
      RETURN false;
    END IF;
    WITH gone AS (
      DELETE FROM parley.messages m
      WHERE m.app = one.app AND m.conversation = one.conversation
        AND m.position >= one.below AND m.position < one.below + portion
      RETURNING m.app, m.id
    )
    DELETE FROM parley.message_ids i USING gone WHERE i.app = gone.app AND i.id = gone.id;
    IF one.below + portion > one.last THEN
      DELETE FROM parley.purges p WHERE p.app = one.app AND p.conversation = one.conversation;
    ELSE
      UPDATE parley.purges p SET below = one.below + portion
      WHERE p.app = one.app AND p.conversation = one.conversation;
    END IF;
    RETURN true;
  END $$;`

/** Deletes what is noted, portion by portion, until nothing is left that nobody else is at. */
export async function purgeAll(db: Database): Promise<void> {
  for (;;) {
    const [row] = await db.ask('SELECT parley.purge_some($1) AS more', [PURGE_PORTION])
    if (!row!.more) return
  }
}
