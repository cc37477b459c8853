/**
 * The schema, as a list of steps that only grows. `user_version` says how many have run. Times are Unix milliseconds,
 * ids are bare, sets and trees are JSON.
 */
export const migrations: readonly string[] = [
  `
  CREATE TABLE store (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE log (cursor INTEGER NOT NULL);
  INSERT INTO log VALUES (0);

  CREATE TABLE apps (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    environment TEXT NOT NULL,
    name TEXT NOT NULL,
    session_seconds INTEGER,
    allowed_origins TEXT,
    created_at INTEGER NOT NULL,
    suspended_at INTEGER
  );
  CREATE TABLE providers (id TEXT PRIMARY KEY, app INTEGER NOT NULL, jwks_url TEXT) WITHOUT ROWID;
  CREATE INDEX providers_of_app ON providers (app);
  CREATE TABLE provider_keys (
    id TEXT PRIMARY KEY,
    provider TEXT NOT NULL,
    algorithm TEXT NOT NULL,
    public_jwk TEXT NOT NULL,
    state TEXT NOT NULL,
    created_at INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX keys_of_provider ON provider_keys (provider);

  CREATE TABLE identities (
    app INTEGER NOT NULL,
    user_id TEXT NOT NULL,
    display_name TEXT,
    avatar_url TEXT,
    first_name TEXT,
    last_name TEXT,
    email_address TEXT,
    phone_number TEXT,
    public_key TEXT,
    metadata TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    suspended_at INTEGER,
    inbox_sequence INTEGER NOT NULL,
    inbox_moved INTEGER NOT NULL,
    PRIMARY KEY (app, user_id)
  ) WITHOUT ROWID;

  CREATE TABLE sessions (
    id TEXT PRIMARY KEY,
    token_hash TEXT NOT NULL UNIQUE,
    app INTEGER NOT NULL,
    user_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    ended_at INTEGER
  ) WITHOUT ROWID;
  CREATE INDEX sessions_of_identity ON sessions (app, user_id);
  CREATE INDEX ended_sessions ON sessions (ended_at) WHERE ended_at IS NOT NULL;
  CREATE TABLE used_nonces (hash TEXT PRIMARY KEY, forget_at INTEGER NOT NULL) WITHOUT ROWID;
  CREATE INDEX used_nonces_by_age ON used_nonces (forget_at);

  CREATE TABLE conversations (
    app INTEGER NOT NULL,
    id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    distinct_key TEXT,
    metadata TEXT NOT NULL,
    deleted_at INTEGER,
    sequence INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    head_sequence INTEGER NOT NULL,
    head_position INTEGER NOT NULL,
    last_message_at INTEGER NOT NULL,
    moved INTEGER NOT NULL,
    moved_at INTEGER NOT NULL,
    PRIMARY KEY (app, id)
  ) WITHOUT ROWID;
  CREATE UNIQUE INDEX distinct_conversations ON conversations (app, distinct_key) WHERE distinct_key IS NOT NULL;

  CREATE TABLE participants (
    app INTEGER NOT NULL,
    conversation TEXT NOT NULL,
    user_id TEXT NOT NULL,
    state TEXT NOT NULL,
    join_order INTEGER NOT NULL,
    joined_at INTEGER NOT NULL,
    absent TEXT NOT NULL,
    delivered TEXT NOT NULL,
    read TEXT NOT NULL,
    hidden TEXT NOT NULL,
    last_position INTEGER,
    sequence INTEGER NOT NULL,
    inbox_sequence INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    PRIMARY KEY (app, conversation, user_id)
  ) WITHOUT ROWID;
  CREATE INDEX conversations_of_identity ON participants (app, user_id, inbox_sequence);

  CREATE TABLE messages (
    app INTEGER NOT NULL,
    conversation TEXT NOT NULL,
    position INTEGER NOT NULL,
    id TEXT NOT NULL,
    sender TEXT NOT NULL,
    sent_at INTEGER NOT NULL,
    parts TEXT NOT NULL,
    deleted_at INTEGER,
    sequence INTEGER NOT NULL,
    first_sequence INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    PRIMARY KEY (app, conversation, position)
  ) WITHOUT ROWID;
  CREATE UNIQUE INDEX messages_by_id ON messages (app, id);
  -- A message that was never changed is found by its position; only the others need a place by sequence.
  CREATE INDEX changed_messages ON messages (app, conversation, sequence) WHERE sequence <> first_sequence;

  CREATE TABLE operations (
    app INTEGER NOT NULL,
    user_id TEXT NOT NULL,
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (app, user_id, id)
  ) WITHOUT ROWID;
  CREATE INDEX operations_by_age ON operations (at);
  `,
  // See row-sums.ts; rows from before have none.
  `
  ALTER TABLE conversations ADD COLUMN sum INTEGER;
  ALTER TABLE participants ADD COLUMN sum INTEGER;
  ALTER TABLE messages ADD COLUMN sum INTEGER;
  ALTER TABLE identities ADD COLUMN sum INTEGER;
  ALTER TABLE sessions ADD COLUMN sum INTEGER;
  `,
  // What a repeat is answered, of operations whose answer says more than that it was done. It is served, so it has a sum.
  `
  ALTER TABLE operations ADD COLUMN effect TEXT;
  ALTER TABLE operations ADD COLUMN result TEXT;
  ALTER TABLE operations ADD COLUMN sum INTEGER;
  `,
]
