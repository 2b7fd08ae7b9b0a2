import { POSTGRES, type Sql, type SqlValue } from "./sql-statements.ts";
import { createQueue, SINGLE_CONNECTION } from "./sql-single.ts";
import type { PutChange, SqlDatabase } from "./sql-database.ts";
import type { Finding } from "./store.ts";

/** What is used of a client of `pg`, of its pool, and of what is made like them (Neon's, Hyperdrive's). */
export interface PostgresClient {
  query(query: PostgresQuery): Promise<PostgresResult>;
  /** A client emits `error` when its connection is lost while nobody asks; unheard it would end the process. */
  on?(event: "error", listener: () => void): unknown;
  /** A pool counts its connections; a client does not. */
  readonly totalCount?: number;
  /** Of a pool: lends a connection. */
  connect?(): Promise<unknown>;
  /** Of a connection that was lent: gives it back, or closes it when it failed. */
  release?(error?: unknown): void;
}

/** With a name it is prepared once on each connection. */
export interface PostgresQuery {
  readonly name?: string;
  readonly text: string;
  readonly values?: readonly SqlValue[];
}

export interface PostgresResult {
  readonly rows: readonly unknown[];
  readonly rowCount: number | null;
}

/** What is used of PGlite. */
export interface PgliteClient {
  query(text: string, values: readonly SqlValue[]): Promise<{ rows: unknown[]; affectedRows?: number }>;
  /** Several statements, without values. */
  exec(text: string): Promise<unknown>;
}

/** A row of a bytea column travels as hex digits; parts of this size keep that below what a server likes to hold. */
export const POSTGRES_MAX_BLOB_BYTES: number = 8 * 1024 * 1024;

/** It takes seconds for what the server does in a moment; parts of this size leave others their turn. */
export const PGLITE_MAX_BLOB_BYTES: number = 1024 * 1024;

/** PGlite has the methods of a client under other names. */
export function toPostgresClient(pglite: PgliteClient): PostgresClient {
  return {
    async query({ text, values }) {
      if (!values) {
        await pglite.exec(text);
        return { rows: [], rowCount: null };
      }
      const { rows, affectedRows } = await pglite.query(text, values);
      return { rows, rowCount: affectedRows ?? rows.length };
    },
  };
}

/**
 * PostgreSQL through one client or a pool. Every write is one statement and so one transaction: there is no BEGIN that
 * other callers of a shared connection could get into. `open` is asked each time, because a connector may connect again.
 */
export function connectPostgres(
  open: () => PostgresClient | Promise<PostgresClient>,
  options: { durability: "power" | "process" },
): SqlDatabase {
  const isRelaxed = new WeakSet<object>();
  const enqueue = createQueue();
  /** Poolers in transaction mode know no named statements of ours; then they are sent whole each time. */
  let isNaming = true;

  async function connect(): Promise<PostgresClient> {
    const client = await open();
    hear(client);
    return client;
  }

  async function ask(query: PostgresQuery): Promise<PostgresResult> {
    const client = await connect();
    // A single client does one query after the other; its own queue is about to go.
    if (!isPool(client)) return enqueue(() => relaxed(client).then(() => client.query(query)));
    if (options.durability === "power") return client.query(query);
    const lent = (await client.connect!()) as PostgresClient;
    try {
      const result = await relaxed(lent).then(() => lent.query(query));
      lent.release!();
      return result;
    } catch (error) {
      lent.release!(error);
      throw error;
    }
  }

  /** Tells a connection, once, not to wait for the disk. */
  async function relaxed(client: PostgresClient): Promise<void> {
    if (options.durability === "power" || isRelaxed.has(client)) return;
    // The pool does not listen while a connection is lent.
    hear(client);
    await client.query({ text: "SET synchronous_commit TO off" });
    isRelaxed.add(client);
  }

  async function run(text: string, values: readonly SqlValue[], isRare = false): Promise<PostgresResult> {
    if (!isNaming || isRare) return ask({ text, values });
    try {
      return await ask({ name: nameOf(text), text, values });
    } catch (error) {
      // No statement of that name, or another one: it was not run.
      if (!/^(26000|42P05)$/.test(String((error as { code?: unknown }).code))) throw error;
      isNaming = false;
      return ask({ text, values });
    }
  }

  return {
    dialect: POSTGRES,
    async setUp() {
      // The last table tells that all are there, and a user without the right to create may go on.
      const { rows } = await ask({ text: "SELECT to_regclass('sentiero_meta') IS NOT NULL AS is_there", values: [] });
      if (!(rows as { is_there: boolean }[])[0]!.is_there) await ask({ text: SCHEMA });
    },
    query: async ({ sql, params }) => (await run(number(sql), params)).rows,
    change: async ({ sql, params }) => (await run(number(sql), params)).rowCount ?? 0,
    async put(change) {
      const { sql, params } = toPutSql(change);
      // Its text tells how many blobs there are; seldom more than a few, and what is prepared is never forgotten.
      return (await run(sql, params, change.blobs.size > 4)).rows.length > 0;
    },
    async remove(collection, id) {
      // Its terms go by the foreign key: a statement of ours would not see those that are being added meanwhile.
      await run("DELETE FROM sentiero_documents WHERE collection = $1 AND id = $2", [collection, id]);
    },
    async createBlob(key, bytes) {
      await run("INSERT INTO sentiero_blobs (key, bytes) VALUES ($1, $2) ON CONFLICT DO NOTHING", [key, bytes]);
    },
    async createSchema(version) {
      await run("INSERT INTO sentiero_meta (name, value) VALUES ('schema', $1) ON CONFLICT DO NOTHING", [
        String(version),
      ]);
    },
    async check() {
      const { rows } = await ask({ text: SELECT_SETTINGS, values: [] });
      const settings = new Map((rows as { name: string; setting: string }[]).map((row) => [row.name, row.setting]));
      const isSingle = "on" in (await connect()) && !isPool(await connect());
      return findProblems(settings, options.durability, isSingle);
    },
  };
}

/**
 * The whole database is set up in one transaction, the tables that others lean on first. Ids sort and compare byte by
 * byte. Documents keep room in their pages, so that a new version lies beside the old one and no index is touched.
 * Blobs are compressed already.
 */
const SCHEMA = `
  SELECT pg_advisory_xact_lock(hashtext('sentiero'));
  CREATE TABLE IF NOT EXISTS sentiero_documents (
    collection text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    score bigint NOT NULL,
    version bigint NOT NULL,
    doc text NOT NULL,
    PRIMARY KEY (collection, id)
  ) WITH (fillfactor = 70);
  CREATE INDEX IF NOT EXISTS sentiero_documents_by_score ON sentiero_documents (collection, score, id);
  CREATE TABLE IF NOT EXISTS sentiero_terms (
    collection text COLLATE "C" NOT NULL,
    term text COLLATE "C" NOT NULL,
    score bigint NOT NULL,
    id text COLLATE "C" NOT NULL,
    PRIMARY KEY (collection, term, id),
    FOREIGN KEY (collection, id) REFERENCES sentiero_documents (collection, id) ON DELETE CASCADE
  );
  CREATE INDEX IF NOT EXISTS sentiero_terms_by_score ON sentiero_terms (collection, term, score, id);
  CREATE INDEX IF NOT EXISTS sentiero_terms_by_id ON sentiero_terms (collection, id);
  CREATE TABLE IF NOT EXISTS sentiero_blobs (key text COLLATE "C" PRIMARY KEY, bytes bytea NOT NULL);
  ALTER TABLE sentiero_blobs ALTER COLUMN bytes SET STORAGE EXTERNAL;
  CREATE TABLE IF NOT EXISTS sentiero_meta (name text PRIMARY KEY, value text NOT NULL);
`;

/** One statement: what depends on the document takes its rows from the document's own change, which is nothing when it lost. */
function toPutSql({ collection, id, score, json, terms, expectedVersion, blobs }: PutChange): Sql {
  const params: SqlValue[] = [collection, id, score, json];
  const place = (value: SqlValue) => `$${params.push(value)}`;
  const parts =
    expectedVersion === 0
      ? [
          "put AS (INSERT INTO sentiero_documents (collection, id, score, version, doc) VALUES ($1::text, $2::text, $3::bigint, 1, $4) ON CONFLICT DO NOTHING RETURNING 1)",
        ]
      : [
          `put AS (UPDATE sentiero_documents SET score = $3::bigint, doc = $4, version = version + 1 WHERE collection = $1::text AND id = $2::text AND version = ${place(expectedVersion)}::bigint RETURNING 1)`,
          "moved AS (UPDATE sentiero_terms SET score = $3::bigint FROM put WHERE collection = $1::text AND id = $2::text AND score <> $3::bigint)",
        ];
  if (terms.length > 0) {
    parts.push(
      `named AS (INSERT INTO sentiero_terms (collection, term, score, id) SELECT $1::text, term, $3::bigint, $2::text FROM put, unnest(${place(terms)}::text[]) AS term ON CONFLICT DO NOTHING)`,
    );
  }
  for (const [key, bytes] of blobs) {
    parts.push(
      `blob${parts.length} AS (INSERT INTO sentiero_blobs (key, bytes) SELECT ${place(key)}::text, ${place(bytes)}::bytea FROM put ON CONFLICT DO NOTHING)`,
    );
  }
  return { sql: `WITH ${parts.join(", ")} SELECT 1 FROM put`, params };
}

const heard = new WeakSet<object>();

/** Listens to a client or pool once, however many stores share it. */
function hear(client: PostgresClient): void {
  if (heard.has(client)) return;
  heard.add(client);
  client.on?.("error", () => {});
}

function isPool(client: PostgresClient): boolean {
  return client.totalCount !== undefined;
}

const numbered = new Map<string, string>();

/** PostgreSQL numbers the places of values. There are few different texts. */
function number(sql: string): string {
  let text = numbered.get(sql);
  if (text === undefined) {
    let count = 0;
    text = sql.replace(/\?/g, () => `$${++count}`);
    numbered.set(sql, text);
  }
  return text;
}

const names = new Map<string, string>();

/** The name of a statement tells its text, so that two stores and two versions of us may share a connection. */
function nameOf(text: string): string {
  let name = names.get(text);
  if (name === undefined) {
    let [a, b] = [0xdeadbeef, 0x41c6ce57];
    for (let index = 0; index < text.length; index++) {
      const unit = text.charCodeAt(index);
      a = Math.imul(a ^ unit, 2654435761);
      b = Math.imul(b ^ unit, 1597334677);
    }
    names.set(text, (name = `sentiero_${(a >>> 0).toString(36)}${(b >>> 0).toString(36)}_${text.length}`));
  }
  return name;
}

const SELECT_SETTINGS =
  "SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit', 'server_encoding')";

function findProblems(
  settings: ReadonlyMap<string, string>,
  durability: "power" | "process",
  isSingle: boolean,
): Finding[] {
  const found: Finding[] = [];
  const isOff = (name: string) => settings.get(name) === "off";
  if (isOff("fsync") || isOff("full_page_writes")) {
    found.push({
      level: "error",
      what: "PostgreSQL runs with fsync or full_page_writes off: a power cut may destroy the database.",
      remedy: "Set fsync = on and full_page_writes = on in postgresql.conf.",
    });
  }
  if (durability === "power" && isOff("synchronous_commit")) {
    found.push({
      level: "warning",
      what: "PostgreSQL runs with synchronous_commit off: a crash of the server loses what was answered just before.",
      remedy: "Set synchronous_commit = on for this database or user.",
    });
  }
  if ((settings.get("server_encoding") ?? "UTF8") !== "UTF8") {
    found.push({
      level: "error",
      what: `The database's encoding is ${settings.get("server_encoding")}: not every text can be kept.`,
      remedy: "Create the database with ENCODING 'UTF8'.",
    });
  }
  if (isSingle) found.push(SINGLE_CONNECTION);
  return found;
}
