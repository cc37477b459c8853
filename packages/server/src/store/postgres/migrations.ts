/**
 * Into how many parts messages, their ids and participants are divided by the hash of app and conversation (ids by app
 * and id), so that tables can be spread over disks and vacuumed apart. Chosen when a database is made, by its own setting
 * `parley.partitions`, and written in it: another number would need every row moved.
 */
export const PARTITIONS = { usual: 4, most: 64 } as const

/** Writes the number down. */
const choosePartitions = `
  DO $$
  DECLARE
    chosen text := coalesce(nullif(current_setting('parley.partitions', true), ''), '${PARTITIONS.usual}');
  BEGIN
    IF chosen !~ '^[1-9][0-9]?$' OR chosen::integer > ${PARTITIONS.most} THEN
      RAISE EXCEPTION 'its setting parley.partitions is %, and not a whole number from 1 to ${PARTITIONS.most}', chosen;
    END IF;
    INSERT INTO parley.store VALUES ('partitions', chosen);
  END $$;`

/** Divides a table into as many. */
const partitioned = (table: string): string => `
  DO $$
  DECLARE
    number integer := (SELECT s.value FROM parley.store s WHERE s.name = 'partitions');
  BEGIN
    FOR n IN 0 .. number - 1 LOOP
      EXECUTE format('CREATE TABLE parley.%I PARTITION OF parley.%I FOR VALUES WITH (MODULUS %s, REMAINDER %s)',
        '${table}_' || n, '${table}', number, n);
    END LOOP;
  END $$;`

/** Of its columns, and those of its parts. How many rows and pages there are is known all the same. */
const withoutStatistics = (table: string): string => `
  DO $$
  DECLARE
    name text;
  BEGIN
    FOR name IN SELECT a.attname FROM pg_attribute a
      WHERE a.attrelid = 'parley.${table}'::regclass AND a.attnum > 0 AND NOT a.attisdropped
    LOOP
      EXECUTE format('ALTER TABLE parley.%I ALTER COLUMN %I SET STATISTICS 0', '${table}', name);
    END LOOP;
  END $$;`

/**
 * The schema, as a list of steps that only grows; the row of `parley.schema` says how many have run. Times are Unix
 * milliseconds, ids are bare, sets and trees are JSON as it came. Names and keys compare by bytes: COLLATE "C".
 */
export const migrations: readonly string[] = [
  `
  CREATE TABLE parley.store (name text PRIMARY KEY, value text NOT NULL);
  INSERT INTO parley.store VALUES
    ('epoch', gen_random_uuid()), ('secret', gen_random_uuid() || '' || gen_random_uuid());
  ${choosePartitions}

  -- One row for each process that writes: its last commit, by its own count and by the log's number. It fences off
  -- commits given up for lost, and the highest number in it is one that no crash takes back.
  CREATE TABLE parley.writers (
    id uuid PRIMARY KEY,
    batch bigint NOT NULL,
    -- Whether that number was taken to keep a commit from happening.
    fenced boolean NOT NULL,
    moved bigint NOT NULL,
    settled bigint NOT NULL,
    at bigint NOT NULL
  ) WITH (fillfactor = 20);

  CREATE TABLE parley.apps (
    key integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id uuid NOT NULL UNIQUE,
    environment text NOT NULL,
    name text NOT NULL,
    session_seconds bigint,
    allowed_origins json,
    created_at bigint NOT NULL,
    suspended_at bigint
  );
  CREATE TABLE parley.providers (id uuid PRIMARY KEY, app integer NOT NULL, jwks_url text);
  CREATE INDEX providers_of_app ON parley.providers (app);
  CREATE TABLE parley.provider_keys (
    id text COLLATE "C" PRIMARY KEY,
    provider uuid NOT NULL,
    algorithm text NOT NULL,
    public_jwk json NOT NULL,
    state text NOT NULL,
    created_at bigint NOT NULL
  );
  CREATE INDEX keys_of_provider ON parley.provider_keys (provider);

  CREATE TABLE parley.identities (
    app integer NOT NULL,
    user_id text COLLATE "C" NOT NULL,
    display_name text,
    avatar_url text,
    first_name text,
    last_name text,
    email_address text,
    phone_number text,
    public_key text,
    metadata json NOT NULL,
    created_at bigint NOT NULL,
    suspended_at bigint,
    inbox_sequence bigint NOT NULL,
    inbox_moved bigint NOT NULL,
    revision bigint NOT NULL,
    PRIMARY KEY (app, user_id)
  ) WITH (fillfactor = 80);

  CREATE TABLE parley.sessions (
    id uuid PRIMARY KEY,
    token_hash text COLLATE "C" NOT NULL UNIQUE,
    app integer NOT NULL,
    user_id text COLLATE "C" NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    ended_at bigint
  );
  CREATE INDEX sessions_of_identity ON parley.sessions (app, user_id);
  CREATE INDEX ended_sessions ON parley.sessions (ended_at) WHERE ended_at IS NOT NULL;
  CREATE TABLE parley.used_nonces (hash text COLLATE "C" PRIMARY KEY, forget_at bigint NOT NULL);
  CREATE INDEX used_nonces_by_age ON parley.used_nonces (forget_at);

  CREATE TABLE parley.conversations (
    app integer NOT NULL,
    id uuid NOT NULL,
    created_at bigint NOT NULL,
    created_by text COLLATE "C" NOT NULL,
    distinct_key text COLLATE "C",
    metadata json NOT NULL,
    deleted_at bigint,
    sequence bigint NOT NULL,
    changed_at bigint NOT NULL,
    head_sequence bigint NOT NULL,
    head_position bigint NOT NULL,
    last_message_at bigint NOT NULL,
    moved bigint NOT NULL,
    moved_at bigint NOT NULL,
    revision bigint NOT NULL,
    PRIMARY KEY (app, id)
    -- Heads change with every message: with room on the page, no index needs to hear of it.
  ) WITH (fillfactor = 70);
  CREATE UNIQUE INDEX distinct_conversations ON parley.conversations (app, distinct_key)
    WHERE distinct_key IS NOT NULL;

  CREATE TABLE parley.participants (
    app integer NOT NULL,
    conversation uuid NOT NULL,
    user_id text COLLATE "C" NOT NULL,
    state text NOT NULL,
    join_order bigint NOT NULL,
    joined_at bigint NOT NULL,
    absent json NOT NULL,
    delivered json NOT NULL,
    read json NOT NULL,
    hidden json NOT NULL,
    last_position bigint,
    sequence bigint NOT NULL,
    inbox_sequence bigint NOT NULL,
    changed_at bigint NOT NULL,
    PRIMARY KEY (app, conversation, user_id)
  ) PARTITION BY HASH (app, conversation);
  -- Its condition is always true. Only a statement that repeats it may use the index: whoever looks for one person in one
  -- conversation must not read all conversations of that person, which the planner takes for as good.
  CREATE INDEX conversations_of_identity ON parley.participants (app, user_id, inbox_sequence)
    WHERE inbox_sequence >= 0;
  ${partitioned('participants')}

  CREATE TABLE parley.messages (
    app integer NOT NULL,
    conversation uuid NOT NULL,
    position bigint NOT NULL,
    id uuid NOT NULL,
    sender text COLLATE "C" NOT NULL,
    sent_at bigint NOT NULL,
    parts json NOT NULL,
    deleted_at bigint,
    sequence bigint NOT NULL,
    first_sequence bigint NOT NULL,
    changed_at bigint NOT NULL,
    PRIMARY KEY (app, conversation, position)
  ) PARTITION BY HASH (app, conversation);
  -- A message that was never changed is found by its position; only the others need a place by sequence.
  CREATE INDEX changed_messages ON parley.messages (app, conversation, sequence) WHERE sequence <> first_sequence;
  ${partitioned('messages')}

  -- An index cannot be unique across partitions of another key, so ids have a table of their own.
  CREATE TABLE parley.message_ids (
    app integer NOT NULL,
    id uuid NOT NULL,
    conversation uuid NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (app, id)
  ) PARTITION BY HASH (app, id);
  ${partitioned('message_ids')}

  CREATE TABLE parley.operations (
    app integer NOT NULL,
    user_id text COLLATE "C" NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL,
    at bigint NOT NULL,
    PRIMARY KEY (app, user_id, id)
  );
  CREATE INDEX operations_by_age ON parley.operations (at);
  `,
  // The log may go on from another store's: see cursor.ts.
  `
  INSERT INTO parley.store VALUES ('numbers_above', 0);
  `,
  `
  -- What is left of deleted conversations: messages from one position to the last.
  CREATE TABLE parley.purges (
    app integer NOT NULL,
    conversation uuid NOT NULL,
    below bigint NOT NULL,
    last bigint NOT NULL,
    PRIMARY KEY (app, conversation)
  );
  `,
  `
  -- Which streams each commit moved, for as long as a server may be without having looked. Heads know it as well, but an
  -- index on what changes with every message would cost each of them a second write.
  CREATE TABLE parley.moves (moved bigint PRIMARY KEY, at bigint NOT NULL, conversations json, inboxes json);
  -- Rows are kept of what moved after this cursor.
  INSERT INTO parley.store SELECT 'moves_after', coalesce(max(w.moved), 0) FROM parley.writers w;
  `,
  `
  -- Which server does what only one of them need do, and until when it need not be asked whether it still lives.
  CREATE TABLE parley.claims (work text COLLATE "C" PRIMARY KEY, holder text NOT NULL, until timestamptz NOT NULL);
  `,
  `
  -- What a repeat is answered, of operations whose answer says more than that it was done.
  ALTER TABLE parley.operations ADD COLUMN effect uuid, ADD COLUMN result json;
  `,
  `
  -- How often more of a conversation was changed than its messages and marks: what a message's sending rests on.
  ALTER TABLE parley.conversations ADD COLUMN terms bigint NOT NULL DEFAULT 0;
  -- Where the last commit's messages came to lie elsewhere than it said.
  ALTER TABLE parley.writers ADD COLUMN shifted json;
  `,
  `
  -- A message says in which of the conversations touched it is sent: commit_batch has other parameters.
  `,
  `
  -- Parts come as an array, and what moved as it is written down: commit_batch has other parameters.
  `,
  `
  -- Which conversations a commit moved, as arrays, which are counted and taken apart at a tenth of what JSON takes.
  -- Random bytes are not worth compressing.
  ALTER TABLE parley.moves RENAME conversations TO names;
  ALTER TABLE parley.moves ADD COLUMN apps integer[], ADD COLUMN conversations uuid[];
  ALTER TABLE parley.moves ALTER COLUMN conversations SET STORAGE EXTERNAL;
  UPDATE parley.moves m SET (apps, conversations) = (
    SELECT array_agg(n.app), array_agg(n.id) FROM json_to_recordset(m.names) AS n (app integer, id uuid));
  ALTER TABLE parley.moves DROP COLUMN names;
  `,
  `
  -- What is in these columns nobody asks: plans are pinned to the indexes. While it is young, what grows with every message
  -- would be looked through once a minute.
  ${['messages', 'message_ids', 'moves', 'operations'].map(withoutStatistics).join('')}
  `,
]
