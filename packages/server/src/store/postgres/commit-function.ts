import { writeChangedMessages, writeParticipants, writePeople, writeSignIns } from './commit-rows.ts'
import { purgeAtOnce } from './purge.ts'

/** Errors of our own, told apart by their code. */
export const OUTDATED = 'PA001'
export const OTHER_SCHEMA = 'PA002'
export const FENCED = 'PA003'

/** Commits hold it shared, a migration holds it alone: nothing is ever written half in the old way, half in the new. */
export const COMMIT_LOCK = 7_261_001

/** Calls it: the schema, the writer and its count, then what `commitArguments` makes. */
export const COMMIT_PARAMETERS = 35
export const COMMIT = `SELECT moved, settled, shifted FROM parley.commit_batch(${Array.from(
  { length: COMMIT_PARAMETERS },
  (_, index) => `$${index + 1}`,
)})`

/**
 * One commit in one statement, hence one round trip and no transaction that a dead process could leave open. What comes
 * with every message, the message itself and the heads of its conversation, comes as arrays, one for each column; anything
 * else as JSON.
 *
 *     lock, compare with what was believed, move heads ─→ write ─→ is anything in the way? ─→ fence ─→ done
 *
 * Locks are taken in one order, the one in which rows come: conversations, then people, each sorted by key. So two
 * commits never wait for each other in a circle. The writer's own row comes last: who gave the commit up for lost before
 * that has taken the row, and everything is taken back.
 *
 * The revision of a conversation is the one that was believed: 0 for none, null for whatever there is. It rises by a step
 * of 1, or of 0 where only what was believed matters. Where only something within changes, there are no heads.
 *
 * Where messages are sent and nothing else is done, it says how many, and on what terms: if these are still the conversation's,
 * it is no matter what others sent there meanwhile. The messages come after that, and `shifted` says by how much: of each
 * conversation concerned its place, what is added to sequences and to positions, the time and the revision of its heads. It is
 * kept with the writer, for whoever has to ask what became of the commit.
 *
 * Each message says with its place, counted from 1, which of the conversations touched it is sent in. What is nearly
 * always the same for all of them is null instead: that each was sent now, and none is deleted, or changed since it was sent.
 */
export const commitFunction = `
  CREATE FUNCTION parley.commit_batch(
    known_schema integer, writer uuid, this_batch bigint, at_ms bigint,
    touched_apps integer[], touched_ids uuid[], touched_revisions bigint[], touched_steps integer[],
    believed_terms bigint[], terms_steps integer[], numbers_sent bigint[],
    head_sequences bigint[], head_positions bigint[], head_times bigint[], new_conversations json,
    sent_places integer[], sent_positions bigint[], sent_ids uuid[], sent_by text[], sent_at bigint[], sent_parts json[],
    sent_deleted_at bigint[], sent_sequences bigint[], sent_first_sequences bigint[], sent_changed_at bigint[],
    touched_people json, new_participants json, changed_messages json, purged json,
    new_people json, new_sessions json, changed_sessions json, new_nonces json, new_operations json,
    moved_inboxes json,
    OUT moved bigint, OUT settled bigint, OUT shifted json)
  LANGUAGE plpgsql AS $$
  #variable_conflict use_column
  DECLARE
    found_schema integer;
    this_number bigint := pg_current_xact_id()::text::bigint;
    all_before bigint := pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 1;
    -- What \`shifted\` says, and the same by place: how far messages are shifted, and no earlier than when they are sent.
    late bigint[];
    shift bigint[];
    late_sequences bigint[];
    late_positions bigint[];
    late_at bigint[];
    outdated_conversations json;
    outdated_people json;
    moved_apps integer[];
    moved_conversations uuid[];
    in_the_way text[] := '{}';
    updated bigint;
    added bigint;
    wanted bigint;
  BEGIN
    PERFORM pg_advisory_xact_lock_shared(${COMMIT_LOCK});
    -- Numbers are raised as NUMBERS_ABOVE says.
    SELECT this_number + s.value::bigint, all_before + s.value::bigint, v.version
      INTO this_number, all_before, found_schema
      FROM parley.schema v, parley.store s WHERE s.name = 'numbers_above';
    IF found_schema <> known_schema THEN
      RAISE EXCEPTION 'The schema is another one.' USING ERRCODE = '${OTHER_SCHEMA}';
    END IF;

    IF touched_ids IS NOT NULL THEN
      WITH written AS (UPDATE parley.conversations c SET
        revision = c.revision + t.step,
        terms = c.terms + t.terms_step,
        head_sequence = coalesce(c.head_sequence + t.sent, t.head_sequence, c.head_sequence),
        head_position = coalesce(c.head_position + t.sent, t.head_position, c.head_position),
        last_message_at = CASE WHEN t.sent IS NULL THEN coalesce(t.head_time, c.last_message_at)
          ELSE greatest(c.last_message_at, t.head_time) END,
        moved = CASE WHEN t.head_sequence IS NULL THEN c.moved ELSE this_number END,
        moved_at = CASE WHEN t.head_sequence IS NULL THEN c.moved_at ELSE at_ms END
        FROM (
          SELECT generate_series(1::bigint, cardinality(touched_ids)) AS place,
            unnest(touched_apps) AS app, unnest(touched_ids) AS id, unnest(touched_revisions) AS revision,
            unnest(touched_steps) AS step, unnest(believed_terms) AS terms, unnest(terms_steps) AS terms_step,
            unnest(numbers_sent) AS sent, unnest(head_sequences) AS head_sequence,
            unnest(head_positions) AS head_position, unnest(head_times) AS head_time
        ) t
        WHERE c.app = t.app AND c.id = t.id AND (c.revision = coalesce(t.revision, c.revision) OR c.terms = t.terms)
        RETURNING c.revision <> t.revision + t.step AS is_late, ARRAY[t.place, c.head_sequence - t.head_sequence,
          c.head_position - t.head_position, c.last_message_at, c.revision] AS shift)
      SELECT count(*), array_agg(w.shift) FILTER (WHERE w.is_late) INTO updated, late FROM written w;
      IF updated < cardinality(touched_ids) THEN
        SELECT json_agg(json_build_object('app', t.app, 'key', t.id)) INTO outdated_conversations
          FROM unnest(touched_apps, touched_ids, touched_revisions) AS t (app, id, revision)
          LEFT JOIN parley.conversations c ON c.app = t.app AND c.id = t.id
          WHERE t.revision > 0 AND c.xmin IS DISTINCT FROM pg_current_xact_id()::xid
            OR t.revision = 0 AND c.id IS NOT NULL;
      END IF;
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
${purgeAtOnce}
    IF new_conversations IS NOT NULL THEN
      UPDATE parley.conversations c SET
        distinct_key = x."distinctKey", metadata = x.metadata, deleted_at = x."deletedAt", sequence = x.sequence,
        changed_at = x."changedAt"
        FROM json_to_recordset(new_conversations) AS x (
          app integer, id uuid, "distinctKey" text, metadata json, "deletedAt" bigint, sequence bigint,
          "changedAt" bigint)
        WHERE c.app = x.app AND c.id = x.id AND c.xmin = pg_current_xact_id()::xid;
      GET DIAGNOSTICS updated = ROW_COUNT;
      wanted := json_array_length(new_conversations) - updated;
      IF wanted > 0 THEN
        INSERT INTO parley.conversations (
          app, id, created_at, created_by, distinct_key, metadata, deleted_at, sequence, changed_at,
          head_sequence, head_position, last_message_at, moved, moved_at, revision, terms)
        SELECT x.app, x.id, x."createdAt", x."createdBy", x."distinctKey", x.metadata, x."deletedAt", x.sequence,
          x."changedAt", x."headSequence", x."headPosition", x."lastMessageAt", this_number, at_ms, 1, 1
        FROM json_to_recordset(new_conversations) AS x (
          app integer, id uuid, "createdAt" bigint, "createdBy" text, "distinctKey" text, metadata json,
          "deletedAt" bigint, sequence bigint, "changedAt" bigint, "headSequence" bigint, "headPosition" bigint,
          "lastMessageAt" bigint)
        WHERE NOT EXISTS (
          SELECT FROM parley.conversations c WHERE c.app = x.app AND c.id = x.id AND c.xmin = pg_current_xact_id()::xid)
        ON CONFLICT DO NOTHING;
        GET DIAGNOSTICS added = ROW_COUNT;
        IF added <> wanted THEN in_the_way := in_the_way || '{conversations,distinctKeys}'; END IF;
      END IF;
    END IF;
${writeParticipants}

    IF late IS NOT NULL THEN
      shifted := array_to_json(late);
      FOREACH shift SLICE 1 IN ARRAY late LOOP
        late_sequences[shift[1]] := shift[2];
        late_positions[shift[1]] := shift[3];
        late_at[shift[1]] := shift[4];
      END LOOP;
    END IF;
    IF sent_ids IS NOT NULL THEN
      -- What is in the way is an error of these tables' own: there are seldom any, and to look first costs a look-up each.
      INSERT INTO parley.message_ids (app, id, conversation, position)
      SELECT touched_apps[s.place], s.id, touched_ids[s.place], s.position + coalesce(late_positions[s.place], 0)
      FROM (SELECT unnest(sent_places) AS place, unnest(sent_ids) AS id, unnest(sent_positions) AS position) s;
      INSERT INTO parley.messages (
        app, conversation, position, id, sender, sent_at, parts, deleted_at, sequence, first_sequence, changed_at)
      SELECT touched_apps[s.place], touched_ids[s.place], s.position + coalesce(late_positions[s.place], 0), s.id,
        s.sender, greatest(coalesce(s.at, at_ms), late_at[s.place]), s.parts, s.deleted_at,
        s.sequence + coalesce(late_sequences[s.place], 0),
        coalesce(s.first_sequence, s.sequence) + coalesce(late_sequences[s.place], 0), coalesce(s.changed_at, at_ms)
      FROM (
        SELECT unnest(sent_places) AS place, unnest(sent_positions) AS position, unnest(sent_ids) AS id,
          unnest(sent_by) AS sender, unnest(sent_at) AS at, unnest(sent_parts) AS parts,
          unnest(sent_deleted_at) AS deleted_at, unnest(sent_sequences) AS sequence,
          unnest(sent_first_sequences) AS first_sequence, unnest(sent_changed_at) AS changed_at
      ) s;
    END IF;
${writeChangedMessages}
${writePeople}
${writeSignIns}

    SELECT array_agg(t.app), array_agg(t.id) INTO moved_apps, moved_conversations
      FROM unnest(touched_apps, touched_ids, head_sequences) AS t (app, id, head) WHERE t.head IS NOT NULL;
    IF moved_conversations IS NOT NULL OR moved_inboxes IS NOT NULL THEN
      INSERT INTO parley.moves (moved, at, apps, conversations, inboxes)
      VALUES (this_number, at_ms, moved_apps, moved_conversations, moved_inboxes);
    END IF;

    IF in_the_way <> '{}' THEN
      RAISE EXCEPTION 'Something is there already.' USING ERRCODE = '${OUTDATED}', DETAIL =
        json_build_object('kinds', in_the_way)::text;
    END IF;
    moved := this_number;
    settled := all_before;
    UPDATE parley.writers w SET
      batch = this_batch, fenced = false, moved = this_number, settled = all_before, shifted = commit_batch.shifted,
      at = at_ms
      WHERE w.id = writer AND w.batch < this_batch;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'This commit was given up for lost.' USING ERRCODE = '${FENCED}';
    END IF;
  END $$;`
