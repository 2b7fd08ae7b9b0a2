import { HTTPError } from "../errors.ts";
import type { Platform } from "../platform.ts";
import { isAway, isConflict, toBusy, toUnavailable } from "./sql-errors.ts";
import { SELECT_SCHEMA } from "./sql-statements.ts";
import { INSERT_SCHEMA, SCHEMA, SELECT_META_TABLE } from "./sqlite-schema.ts";

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
  /** The first row; undefined or null when there is none. */
  get(...params: SqliteValue[]): unknown;
  all(...params: SqliteValue[]): unknown[];
  run(...params: SqliteValue[]): { changes: number | bigint };
}

/** What a statement takes. */
export type SqliteValue = string | number | Uint8Array;

/** A busy database is asked again for this long, without blocking the event loop. */
const BUSY_TIMEOUT_MS = 5_000;

/** One SQLite file: reads at once, writes of one tick in one transaction. */
export interface Connection {
  /** Runs now; sees only what was committed. */
  read<T>(task: (sql: Statements) => T): Promise<T>;
  /** Runs with the other writes of this tick in one transaction; resolves after the commit. */
  write<T>(task: (sql: Statements) => T): Promise<T>;
  /** The schema the file was written by; `initial` where it had none. */
  schemaVersion(initial: number): Promise<number>;
  /**
   * Writes the file anew and empties its log, so that neither holds a copy of what was deleted. Takes about six
   * milliseconds a megabyte, in which writers wait, and twice the room on the disk.
   */
  scrub(): Promise<void>;
  drained(): Promise<void>;
}

/** What is needed of the platform. */
export type SqlitePlatform = Pick<Platform, "defer" | "runSqlite">;

/** How a file is kept. */
export interface SqliteSettings {
  readonly platform: SqlitePlatform;
  /** What an answer survives: a power cut, or the end of our process only. */
  readonly durability: "power" | "process";
  /** Whether the client is of node:sqlite, which the platform may have in a thread. */
  readonly isNodeSqlite: boolean;
  readonly warn: (message: string) => void;
}

/** A prepared statement by its text; each text is prepared once. */
export type Statements = (sql: string) => SqliteStatement;

interface Write {
  readonly task: (sql: Statements) => unknown;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** Opens a file with its schema on first use. A busy file is asked again for five seconds, then 503. */
export function connect(
  open: () => SqliteClient | Promise<SqliteClient>,
  { platform, durability, isNodeSqlite, warn }: SqliteSettings,
): Connection {
  const statements = new Map<string, SqliteStatement>();
  let ready: SqliteClient | null = null;
  let waiting: Write[] = [];
  let flushing: Promise<void> | null = null;
  let scrubbing: Promise<void> | null = null;
  let nextScrub: Promise<void> | null = null;

  const sql: Statements = (text) => {
    let statement = statements.get(text);
    if (!statement) statements.set(text, (statement = ready!.prepare(text)));
    return statement;
  };

  /** Sets the file up on first use. Several processes may do so at once: every step can be repeated. */
  function setUp(client: SqliteClient): void {
    // A busy timeout of SQLite's own would block the event loop for its whole length.
    client.exec("PRAGMA busy_timeout = 0; PRAGMA journal_mode = WAL; PRAGMA secure_delete = ON;");
    client.exec(`PRAGMA synchronous = ${durability === "power" ? "FULL" : "NORMAL"}`);
    // A file of a newer schema is read, and stays as it is.
    if (!client.prepare(SELECT_META_TABLE).get()) transact(client, () => client.exec(SCHEMA.join(";")));
    ready = client;
  }

  /** Runs a task on the file, which is set up first; while it is busy, again and again. */
  async function attempt<T>(task: (client: SqliteClient) => T): Promise<T> {
    const client = ready ?? (await open());
    const deadline = Date.now() + BUSY_TIMEOUT_MS;
    for (;;) {
      try {
        if (!ready) setUp(client);
        return task(client);
      } catch (error) {
        if (isAway(error)) throw toUnavailable(error);
        if (!isConflict(error)) throw error;
        if (Date.now() > deadline) throw toBusy(error);
        await new Promise((resolve) => setTimeout(resolve, 1 + Math.random() * 10));
      }
    }
  }

  /** One write that fails does not take the others of its group with it. */
  async function writeEach(group: readonly Write[]): Promise<void> {
    for (const { task, resolve, reject } of group) {
      await attempt((client) => transact(client, () => task(sql))).then(resolve, reject);
    }
  }

  async function flush(): Promise<void> {
    await new Promise<void>((resolve) => platform.defer(resolve));
    while (waiting.length > 0) {
      const group = waiting;
      waiting = [];
      try {
        const results = await attempt((client) => transact(client, () => group.map(({ task }) => task(sql))));
        for (const [index, { resolve }] of group.entries()) resolve(results[index]);
      } catch (error) {
        // Busy or away is nobody's fault; anything else may be one write's.
        if (group.length > 1 && !(error instanceof HTTPError)) await writeEach(group);
        else for (const { reject } of group) reject(error);
      }
    }
    flushing = null;
  }

  function write<T>(task: (sql: Statements) => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      waiting.push({ task, resolve: resolve as (value: unknown) => void, reject });
      flushing ??= flush();
    });
  }

  /** Runs SQL that takes long on a file, in another thread where there is one. */
  async function runLong(text: string): Promise<void> {
    const file = await attempt(fileOf);
    if (isNodeSqlite && platform.runSqlite && file) {
      try {
        return await platform.runSqlite(file, text);
      } catch (error) {
        if (isConflict(error)) throw toBusy(error);
        if (isAway(error)) throw toUnavailable(error);
        // A thread may be forbidden, or have no memory left. If the SQL itself is wrong, it says so here.
        warn(`[sentiero] no thread for SQLite's ${text}, which holds up requests now: ${(error as Error).message}`);
      }
    }
    await attempt((client) => client.exec(text));
  }

  async function scrubOnce(): Promise<void> {
    // Deleted rows are overwritten, but not the copies that were left in a page when its rows moved to the next one.
    await runLong("VACUUM");
    await attempt(checkpoint);
  }

  const readSchema = () => attempt(() => sql(SELECT_SCHEMA).get() as { value: string } | undefined | null);

  return {
    read: (task) => attempt(() => task(sql)),
    write,
    async schemaVersion(initial) {
      let row = await readSchema();
      if (!row) {
        await write((sql) => sql(INSERT_SCHEMA).run(String(initial)));
        row = await readSchema();
      }
      return Number(row?.value ?? initial);
    },
    scrub() {
      // Who asks during one has deleted something since it began, and shares the next with whoever asks meanwhile.
      nextScrub ??= (scrubbing ?? Promise.resolve())
        .catch(() => {})
        .then(() => {
          nextScrub = null;
          scrubbing = scrubOnce().finally(() => (scrubbing = null));
          return scrubbing;
        });
      return nextScrub;
    },
    drained: async () => {
      await flushing;
    },
  };
}

/** The path of the file; empty for a database in memory. */
function fileOf(client: SqliteClient): string {
  const databases = client.prepare("PRAGMA database_list").all() as { name: string; file: string | null }[];
  return databases.find(({ name }) => name === "main")?.file ?? "";
}

/** Moves the log into the file and empties it, which has to wait for whoever reads it. */
function checkpoint(client: SqliteClient): void {
  const { busy } = client.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get() as { busy: number };
  if (busy) throw Object.assign(new Error("others are reading the log"), { code: "SQLITE_BUSY" });
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
