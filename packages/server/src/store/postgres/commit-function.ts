import { NUMBERS_ABOVE } from './cursor.ts'

/** Errors of our own, told apart by their code. */
export const OUTDATED = 'PA001'
export const OTHER_SCHEMA = 'PA002'
export const FENCED = 'PA003'

/** Commits hold it shared, a migration holds it alone: nothing is ever written half in the old way, half in the new. */
export const COMMIT_LOCK = 7_261_001

/**
 * One commit in one statement, hence one round trip and no transaction that a dead process could leave open. Rows come
 * as JSON, which both ends build and read in native code.
 *
 *     fence ─→ lock what is touched ─→ compare with what was believed ─→ write ─→ is anything in the way? ─→ done
 *
 * Locks are taken in one order, the one in which rows come: conversations, then people, each sorted by key. So two
 * commits never wait for each other in a circle.
 */
export const commitFunction = `
  CREATE OR REPLACE FUNCTION parley.commit_batch(
    known_schema integer, writer uuid, this_batch bigint, at_ms bigint,
    touched_conversations json, touched_people json,
    new_conversations json, new_participants json, new_messages json, changed_messages json, purged json,
    new_people json, new_sessions json, changed_sessions json, new_nonces json, new_operations json,
    OUT moved bigint, OUT settled bigint)
  LANGUAGE plpgsql AS $$
  #variable_conflict use_column
  DECLARE
    numbers_above bigint := ${NUMBERS_ABOVE};
    this_number bigint := pg_current_xact_id()::text::bigint + numbers_above;
    all_before bigint := pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 1 + numbers_above;
    outdated_conversations json;
    outdated_people json;
    in_the_way text[] := '{}';
    updated bigint;
    added bigint;
    wanted bigint;
  BEGIN
    PERFORM pg_advisory_xact_lock_shared(${COMMIT_LOCK});
    IF (SELECT version FROM parley.schema) <> known_schema THEN
      RAISE EXCEPTION 'The schema is another one.' USING ERRCODE = '${OTHER_SCHEMA}';
    END IF;
    UPDATE parley.writers w SET batch = this_batch, fenced = false, moved = this_number, settled = all_before, at = at_ms
      WHERE w.id = writer AND w.batch < this_batch;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'This commit was given up for lost.' USING ERRCODE = '${FENCED}';
    END IF;

    IF touched_conversations IS NOT NULL THEN
      SELECT json_agg(json_build_object('app', t.app, 'key', t.key)) INTO outdated_conversations
        FROM json_to_recordset(touched_conversations) AS t (app integer, key uuid, revision bigint)
        LEFT JOIN LATERAL (
          SELECT c.revision FROM parley.conversations c WHERE c.app = t.app AND c.id = t.key FOR UPDATE
        ) c ON true
        WHERE coalesce(c.revision, 0) <> t.revision;
    END IF;
    IF touched_people IS NOT NULL THEN
      SELECT json_agg(json_build_object('app', t.app, 'key', t.key)) INTO outdated_people
        FROM json_to_recordset(touched_people) AS t (app integer, key text, revision bigint)
        LEFT JOIN LATERAL (
          SELECT i.revision FROM parley.identities i WHERE i.app = t.app AND i.user_id = t.key FOR UPDATE
        ) i ON true
        WHERE coalesce(i.revision, 0) <> t.revision;
    END IF;
    IF outdated_conversations IS NOT NULL OR outdated_people IS NOT NULL THEN
      RAISE EXCEPTION 'Somebody else was faster.' USING ERRCODE = '${OUTDATED}', DETAIL =
        json_build_object('conversations', outdated_conversations, 'people', outdated_people)::text;
    END IF;

    IF purged IS NOT NULL THEN
      WITH gone AS (
        DELETE FROM parley.messages m USING json_to_recordset(purged) AS t (app integer, key uuid)
        WHERE m.app = t.app AND m.conversation = t.key RETURNING m.app, m.id
      )
      DELETE FROM parley.message_ids i USING gone WHERE i.app = gone.app AND i.id = gone.id;
    END IF;

    IF touched_conversations IS NOT NULL THEN
      UPDATE parley.conversations c SET revision = c.revision + 1
        FROM json_to_recordset(touched_conversations) AS t (app integer, key uuid, "isOnlyWithin" boolean)
        WHERE t."isOnlyWithin" AND c.app = t.app AND c.id = t.key;
    END IF;
    IF new_conversations IS NOT NULL THEN
      UPDATE parley.conversations c SET
        distinct_key = x."distinctKey", metadata = x.metadata, deleted_at = x."deletedAt", sequence = x.sequence,
        changed_at = x."changedAt", head_sequence = x."headSequence", head_position = x."headPosition",
        last_message_at = x."lastMessageAt", moved = this_number, moved_at = at_ms, revision = c.revision + 1
        FROM json_to_recordset(new_conversations) AS x (
          app integer, id uuid, "distinctKey" text, metadata json, "deletedAt" bigint, sequence bigint,
          "changedAt" bigint, "headSequence" bigint, "headPosition" bigint, "lastMessageAt" bigint)
        WHERE c.app = x.app AND c.id = x.id;
      GET DIAGNOSTICS updated = ROW_COUNT;
      wanted := json_array_length(new_conversations) - updated;
      IF wanted > 0 THEN
        INSERT INTO parley.conversations (
          app, id, created_at, created_by, distinct_key, metadata, deleted_at, sequence, changed_at,
          head_sequence, head_position, last_message_at, moved, moved_at, revision)
        SELECT x.app, x.id, x."createdAt", x."createdBy", x."distinctKey", x.metadata, x."deletedAt", x.sequence,
          x."changedAt", x."headSequence", x."headPosition", x."lastMessageAt", this_number, at_ms, 1
        FROM json_to_recordset(new_conversations) AS x (
          app integer, id uuid, "createdAt" bigint, "createdBy" text, "distinctKey" text, metadata json,
          "deletedAt" bigint, sequence bigint, "changedAt" bigint, "headSequence" bigint, "headPosition" bigint,
          "lastMessageAt" bigint)
        WHERE NOT EXISTS (SELECT FROM parley.conversations c WHERE c.app = x.app AND c.id = x.id)
        ON CONFLICT DO NOTHING;
        GET DIAGNOSTICS added = ROW_COUNT;
        IF added <> wanted THEN in_the_way := in_the_way || '{conversations,distinctKeys}'; END IF;
      END IF;
    END IF;

    IF new_participants IS NOT NULL THEN
      INSERT INTO parley.participants AS p (
        app, conversation, user_id, state, join_order, joined_at, absent, delivered, read, hidden, last_position,
        sequence, inbox_sequence, changed_at)
      SELECT x.app, x.conversation, x."userId", x.state, x."order", x."joinedAt", x.absent, x.delivered, x.read,
        x.hidden, x."lastPosition", x.sequence, x."inboxSequence", x."changedAt"
      FROM json_to_recordset(new_participants) AS x (
        app integer, conversation uuid, "userId" text, state text, "order" bigint, "joinedAt" bigint, absent json,
        delivered json, read json, hidden json, "lastPosition" bigint, sequence bigint, "inboxSequence" bigint,
        "changedAt" bigint)
      ON CONFLICT (app, conversation, user_id) DO UPDATE SET
        state = excluded.state, join_order = excluded.join_order, joined_at = excluded.joined_at,
        absent = excluded.absent, delivered = excluded.delivered, read = excluded.read, hidden = excluded.hidden,
        last_position = excluded.last_position, sequence = excluded.sequence,
        inbox_sequence = excluded.inbox_sequence, changed_at = excluded.changed_at;
    END IF;

    IF new_messages IS NOT NULL THEN
      WITH x AS MATERIALIZED (
        SELECT * FROM json_to_recordset(new_messages) AS x (
          app integer, conversation uuid, position bigint, id uuid, sender text, "sentAt" bigint, parts json,
          "deletedAt" bigint, sequence bigint, "firstSequence" bigint, "changedAt" bigint)
      ), ids AS (
        INSERT INTO parley.message_ids (app, id, conversation, position)
        SELECT x.app, x.id, x.conversation, x.position FROM x ON CONFLICT DO NOTHING
        RETURNING 1
      ), sent AS (
        INSERT INTO parley.messages (
          app, conversation, position, id, sender, sent_at, parts, deleted_at, sequence, first_sequence, changed_at)
        SELECT x.app, x.conversation, x.position, x.id, x.sender, x."sentAt", x.parts, x."deletedAt", x.sequence,
          x."firstSequence", x."changedAt" FROM x ON CONFLICT DO NOTHING
        RETURNING 1
      )
      SELECT (SELECT count(*) FROM x), (SELECT count(*) FROM ids), (SELECT count(*) FROM sent)
        INTO wanted, added, updated;
      IF added <> wanted THEN in_the_way := in_the_way || '{messages}'; END IF;
      IF updated <> wanted THEN in_the_way := in_the_way || '{conversations}'; END IF;
    END IF;
    IF changed_messages IS NOT NULL THEN
      UPDATE parley.messages m SET
        parts = x.parts, deleted_at = x."deletedAt", sequence = x.sequence, changed_at = x."changedAt"
        FROM json_to_recordset(changed_messages) AS x (
          app integer, conversation uuid, position bigint, parts json, "deletedAt" bigint, sequence bigint,
          "changedAt" bigint)
        WHERE m.app = x.app AND m.conversation = x.conversation AND m.position = x.position;
    END IF;

    IF new_people IS NOT NULL THEN
      UPDATE parley.identities i SET
        display_name = x."displayName", avatar_url = x."avatarUrl", first_name = x."firstName",
        last_name = x."lastName", email_address = x."emailAddress", phone_number = x."phoneNumber",
        public_key = x."publicKey", metadata = x.metadata, suspended_at = x."suspendedAt",
        inbox_sequence = x."inboxSequence",
        inbox_moved = CASE WHEN x."isInboxMoved" THEN this_number ELSE i.inbox_moved END,
        revision = i.revision + 1
        FROM json_to_recordset(new_people) AS x (
          app integer, "userId" text, "displayName" text, "avatarUrl" text, "firstName" text, "lastName" text,
          "emailAddress" text, "phoneNumber" text, "publicKey" text, metadata json, "suspendedAt" bigint,
          "inboxSequence" bigint, "isInboxMoved" boolean)
        WHERE i.app = x.app AND i.user_id = x."userId";
      GET DIAGNOSTICS updated = ROW_COUNT;
      wanted := json_array_length(new_people) - updated;
      IF wanted > 0 THEN
        INSERT INTO parley.identities (
          app, user_id, display_name, avatar_url, first_name, last_name, email_address, phone_number, public_key,
          metadata, created_at, suspended_at, inbox_sequence, inbox_moved, revision)
        SELECT x.app, x."userId", x."displayName", x."avatarUrl", x."firstName", x."lastName", x."emailAddress",
          x."phoneNumber", x."publicKey", x.metadata, x."createdAt", x."suspendedAt", x."inboxSequence",
          CASE WHEN x."isInboxMoved" THEN this_number ELSE 0 END, 1
        FROM json_to_recordset(new_people) AS x (
          app integer, "userId" text, "displayName" text, "avatarUrl" text, "firstName" text, "lastName" text,
          "emailAddress" text, "phoneNumber" text, "publicKey" text, metadata json, "createdAt" bigint,
          "suspendedAt" bigint, "inboxSequence" bigint, "isInboxMoved" boolean)
        WHERE NOT EXISTS (SELECT FROM parley.identities i WHERE i.app = x.app AND i.user_id = x."userId")
        ON CONFLICT DO NOTHING;
        GET DIAGNOSTICS added = ROW_COUNT;
        IF added <> wanted THEN in_the_way := in_the_way || '{people}'; END IF;
      END IF;
    END IF;

    IF new_sessions IS NOT NULL THEN
      INSERT INTO parley.sessions (id, token_hash, app, user_id, created_at, expires_at, ended_at)
      SELECT x.id, x."tokenHash", x.app, x."userId", x."createdAt", x."expiresAt", x."endedAt"
      FROM json_to_recordset(new_sessions) AS x (
        id uuid, "tokenHash" text, app integer, "userId" text, "createdAt" bigint, "expiresAt" bigint,
        "endedAt" bigint)
      ON CONFLICT DO NOTHING;
      GET DIAGNOSTICS added = ROW_COUNT;
      IF added <> json_array_length(new_sessions) THEN in_the_way := in_the_way || '{sessions}'; END IF;
    END IF;
    IF changed_sessions IS NOT NULL THEN
      -- Another process may have ended it in the meantime: an end is never taken back.
      UPDATE parley.sessions s SET expires_at = x."expiresAt", ended_at = coalesce(s.ended_at, x."endedAt")
        FROM json_to_recordset(changed_sessions) AS x (id uuid, "expiresAt" bigint, "endedAt" bigint)
        WHERE s.id = x.id;
    END IF;
    IF new_nonces IS NOT NULL THEN
      INSERT INTO parley.used_nonces (hash, forget_at)
      SELECT x.hash, x."forgetAt" FROM json_to_recordset(new_nonces) AS x (hash text, "forgetAt" bigint)
      ON CONFLICT DO NOTHING;
      GET DIAGNOSTICS added = ROW_COUNT;
      IF added <> json_array_length(new_nonces) THEN in_the_way := in_the_way || '{nonces}'; END IF;
    END IF;
    IF new_operations IS NOT NULL THEN
      INSERT INTO parley.operations (app, user_id, id, name, at)
      SELECT x.app, x."userId", x.id, x.name, x.at
      FROM json_to_recordset(new_operations) AS x (app integer, "userId" text, id uuid, name text, at bigint)
      ON CONFLICT DO NOTHING;
      GET DIAGNOSTICS added = ROW_COUNT;
      IF added <> json_array_length(new_operations) THEN in_the_way := in_the_way || '{operations}'; END IF;
    END IF;

    IF in_the_way <> '{}' THEN
      RAISE EXCEPTION 'Something is there already.' USING ERRCODE = '${OUTDATED}', DETAIL =
        json_build_object('kinds', in_the_way)::text;
    END IF;
    moved := this_number;
    settled := all_before;
  END $$;`
