import { HTTPError, SentieroError } from "../errors.ts";
import type { Platform } from "../platform.ts";

/**
 * What node:sqlite, better-sqlite3 and bun:sqlite have in common: the native client behind db0's connectors. It is used
 * directly because it is synchronous (a group of writes is one transaction that nothing can come between) and because
 * db0 prepares a statement anew for every call.
 */
export interface SqliteClient {
  exec(sql: string): unknown;
  prepare(sql: string): SqliteStatement;
}

/** A prepared statement. */
export interface SqliteStatement {
  get(...params: SqliteValue[]): unknown;
  all(...params: SqliteValue[]): unknown[];
  run(...params: SqliteValue[]): { changes: number | bigint };
}

/** What a statement takes. */
export type SqliteValue = string | number | Uint8Array;

/** The schema this code writes. */
const SCHEMA_VERSION = 1;

/** A busy database is asked again for this long, without blocking the event loop. */
const BUSY_TIMEOUT_MS = 5_000;

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS sentiero_meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS sentiero_documents (
    collection TEXT NOT NULL,
    id TEXT NOT NULL,
    score INTEGER NOT NULL,
    version INTEGER NOT NULL,
    doc TEXT NOT NULL,
    PRIMARY KEY (collection, id)
  );
  CREATE INDEX IF NOT EXISTS sentiero_documents_by_score ON sentiero_documents (collection, score, id);
  CREATE TABLE IF NOT EXISTS sentiero_terms (
    collection TEXT NOT NULL,
    term TEXT NOT NULL,
    score INTEGER NOT NULL,
    id TEXT NOT NULL,
    PRIMARY KEY (collection, term, id)
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS sentiero_terms_by_score ON sentiero_terms (collection, term, score, id);
  CREATE INDEX IF NOT EXISTS sentiero_terms_by_id ON sentiero_terms (collection, id);
  CREATE TABLE IF NOT EXISTS sentiero_blobs (key TEXT PRIMARY KEY, bytes BLOB NOT NULL);
`;

/** One SQLite file: reads at once, writes of one tick in one transaction. */
export interface Connection {
  /** Runs now; sees only what was committed. */
  read<T>(task: (sql: Statements) => T): Promise<T>;
  /** Runs with the other writes of this tick in one transaction; resolves after the commit. */
  write<T>(task: (sql: Statements) => T): Promise<T>;
  drained(): Promise<void>;
}

/** A prepared statement by its text; each text is prepared once. */
export type Statements = (sql: string) => SqliteStatement;

interface Write {
  readonly task: (sql: Statements) => unknown;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** Opens a file with its schema on first use. A busy file is asked again for five seconds, then 503. */
export function connect(client: SqliteClient, platform: Pick<Platform, "defer">): Connection {
  const statements = new Map<string, SqliteStatement>();
  let isReady = false;
  let waiting: Write[] = [];
  let flushing: Promise<void> | null = null;

  const sql: Statements = (text) => {
    let statement = statements.get(text);
    if (!statement) statements.set(text, (statement = client.prepare(text)));
    return statement;
  };

  /** Sets the file up on first use. Several processes may do so at once: every step can be repeated. */
  function ready(): void {
    if (isReady) return;
    // A busy timeout of SQLite's own would block the event loop for its whole length.
    client.exec(
      "PRAGMA busy_timeout = 0; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;",
    );
    transact(client, () => {
      client.exec(SCHEMA);
      sql("INSERT OR IGNORE INTO sentiero_meta (name, value) VALUES ('schema', ?)").run(String(SCHEMA_VERSION));
      const { value } = sql("SELECT value FROM sentiero_meta WHERE name = 'schema'").get() as { value: string };
      if (Number(value) > SCHEMA_VERSION) {
        throw new SentieroError(
          "STORAGE_NEWER",
          `the store was written by a newer sentiero (schema ${value}, this one knows ${SCHEMA_VERSION}): upgrade this process`,
        );
      }
    });
    isReady = true;
  }

  /** One write that fails does not take the others of its group with it. Gives what to do after the commit. */
  function runOne({ task, resolve, reject }: Write): () => void {
    sql("SAVEPOINT one").run();
    try {
      const result = task(sql);
      sql("RELEASE one").run();
      return () => resolve(result);
    } catch (error) {
      if (isBusy(error)) throw error;
      sql("ROLLBACK TO one").run();
      sql("RELEASE one").run();
      return () => reject(error);
    }
  }

  async function flush(): Promise<void> {
    await new Promise<void>((resolve) => platform.defer(resolve));
    while (waiting.length > 0) {
      const group = waiting;
      waiting = [];
      try {
        const settle = await retryBusy(() => {
          ready();
          return transact(client, () => group.map(runOne));
        });
        for (const one of settle) one();
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
    flushing = null;
  }

  return {
    read: (task) =>
      retryBusy(() => {
        ready();
        return task(sql);
      }),
    write<T>(task: (sql: Statements) => T): Promise<T> {
      return new Promise<T>((resolve, reject) => {
        waiting.push({ task, resolve: resolve as (value: unknown) => void, reject });
        flushing ??= flush();
      });
    },
    drained: async () => {
      await flushing;
    },
  };
}

function transact<T>(client: SqliteClient, work: () => T): T {
  client.exec("BEGIN IMMEDIATE");
  try {
    const result = work();
    client.exec("COMMIT");
    return result;
  } catch (error) {
    try {
      client.exec("ROLLBACK");
    } catch {
      // SQLite has rolled back by itself, as it does on a full disk; the first error is the one to tell.
    }
    throw error;
  }
}

async function retryBusy<T>(work: () => T): Promise<T> {
  const deadline = Date.now() + BUSY_TIMEOUT_MS;
  for (;;) {
    try {
      return work();
    } catch (error) {
      if (!isBusy(error)) throw error;
      if (Date.now() > deadline) {
        throw new HTTPError(503, "the database is busy, try again", { cause: error, headers: { "retry-after": "2" } });
      }
      await new Promise((resolve) => setTimeout(resolve, 1 + Math.random() * 10));
    }
  }
}

/** SQLITE_BUSY (5) and SQLITE_LOCKED (6), as each client says it. */
function isBusy(error: unknown): boolean {
  return (
    error instanceof Error &&
    /database (table )?is locked|SQLITE_BUSY|SQLITE_LOCKED/.test(
      error.message + ("code" in error ? String(error.code) : ""),
    )
  );
}
