/**
 * Parts of `commit_batch` that write rows one kind at a time. They come as JSON, which both ends build and read in native
 * code: there are few of them beside messages and heads.
 */

export const writeParticipants = `
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
    END IF;`

export const writeChangedMessages = `
    IF changed_messages IS NOT NULL THEN
      UPDATE parley.messages m SET
        parts = x.parts, deleted_at = x."deletedAt", sequence = x.sequence, changed_at = x."changedAt"
        FROM json_to_recordset(changed_messages) AS x (
          app integer, conversation uuid, position bigint, parts json, "deletedAt" bigint, sequence bigint,
          "changedAt" bigint)
        WHERE m.app = x.app AND m.conversation = x.conversation AND m.position = x.position;
    END IF;`

export const writePeople = `
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
    END IF;`

export const writeSignIns = `
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
      INSERT INTO parley.operations (app, user_id, id, name, at, effect, result)
      SELECT x.app, x."userId", x.id, x.name, x.at, x.effect, x.result
      FROM json_to_recordset(new_operations) AS x (
        app integer, "userId" text, id uuid, name text, at bigint, effect uuid, result json)
      ON CONFLICT DO NOTHING;
      GET DIAGNOSTICS added = ROW_COUNT;
      IF added <> json_array_length(new_operations) THEN in_the_way := in_the_way || '{operations}'; END IF;
    END IF;`
