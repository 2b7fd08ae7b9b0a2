/** The tables, the last of which tells that all are there. */
export const SCHEMA: readonly string[] = [
  `CREATE TABLE IF NOT EXISTS sentiero_documents (
    collection TEXT NOT NULL,
    id TEXT NOT NULL,
    score INTEGER NOT NULL,
    version INTEGER NOT NULL,
    doc TEXT NOT NULL,
    PRIMARY KEY (collection, id)
  )`,
  "CREATE INDEX IF NOT EXISTS sentiero_documents_by_score ON sentiero_documents (collection, score, id)",
  `CREATE TABLE IF NOT EXISTS sentiero_terms (
    collection TEXT NOT NULL,
    term TEXT NOT NULL,
    score INTEGER NOT NULL,
    id TEXT NOT NULL,
    PRIMARY KEY (collection, term, id)
  ) WITHOUT ROWID`,
  "CREATE INDEX IF NOT EXISTS sentiero_terms_by_score ON sentiero_terms (collection, term, score, id)",
  "CREATE INDEX IF NOT EXISTS sentiero_terms_by_id ON sentiero_terms (collection, id)",
  "CREATE TABLE IF NOT EXISTS sentiero_blobs (key TEXT PRIMARY KEY, bytes BLOB NOT NULL)",
  "CREATE TABLE IF NOT EXISTS sentiero_meta (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
];

export const INSERT_DOCUMENT =
  "INSERT INTO sentiero_documents (collection, id, score, version, doc) VALUES (?, ?, ?, 1, ?) ON CONFLICT DO NOTHING";
export const UPDATE_DOCUMENT =
  "UPDATE sentiero_documents SET score = ?, version = version + 1, doc = ? WHERE collection = ? AND id = ? AND version = ?";
/** For a document that keeps its place: SQLite writes the entry of an index anew whenever its column is set. */
export const UPDATE_IN_PLACE =
  "UPDATE sentiero_documents SET version = version + 1, doc = ? WHERE collection = ? AND id = ? AND version = ? AND score = ?";
export const MOVE_TERMS = "UPDATE sentiero_terms SET score = ? WHERE collection = ? AND id = ? AND score <> ?";
export const INSERT_TERM =
  "INSERT INTO sentiero_terms (collection, term, score, id) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING";
export const INSERT_BLOB = "INSERT INTO sentiero_blobs (key, bytes) VALUES (?, ?) ON CONFLICT DO NOTHING";
export const INSERT_SCHEMA = "INSERT INTO sentiero_meta (name, value) VALUES ('schema', ?) ON CONFLICT DO NOTHING";
export const SELECT_META_TABLE = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'sentiero_meta'";
