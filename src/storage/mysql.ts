import { type SqlDatabase } from "./sql-database.ts";
import { isAway } from "./sql-errors.ts";
import { createQueue, SINGLE_CONNECTION } from "./sql-single.ts";
import { DELETE_DOCUMENT, DELETE_TERMS, MYSQL, type Sql, type SqlValue } from "./sql-statements.ts";
import type { Finding } from "./store.ts";

/** What is used of a connection of `mysql2/promise`. */
export interface MysqlConnection {
  /** Gives rows, or what a change did. Prepares each text once on a connection. */
  execute(sql: string, values: readonly SqlValue[]): Promise<[unknown, unknown]>;
  /** Without preparing, for what cannot be prepared. */
  query(sql: string): Promise<[unknown, unknown]>;
  /** Given back to its pool, or closed: only connections of a pool have these. */
  release?(): void;
  destroy(): void;
  /** Unheard, an `error` between two questions would end the process. */
  on?(event: "error", listener: () => void): unknown;
  /** The connection behind the promises; a pool wraps it anew each time it is lent. */
  readonly connection?: object;
}

/** What is used of a pool of `mysql2/promise`. */
export interface MysqlPool {
  getConnection(): Promise<MysqlConnection>;
}

/** Well below `max_allowed_packet`, which is 16 MB by default and 1 MB on old servers' settings. */
export const MYSQL_MAX_BLOB_BYTES: number = 1024 * 1024;

/** A row's packet must hold a blob, and a document of 16 KB with its terms. */
const MIN_PACKET_BYTES = 4 * 1024 * 1024;

const MAX_ID_BYTES = 1_024;

/** Connections by what stands behind their promises, so that the stores that share a pool listen to each once. */
const heard = new WeakSet<object>();
const prepared = new WeakSet<object>();

/**
 * MySQL and MariaDB through one connection or a pool. A put is a transaction on one connection that stops where the
 * document's own statement finds another version. `open` is asked each time, because a connector may connect again.
 */
export function connectMysql(
  open: () => MysqlConnection | MysqlPool | Promise<MysqlConnection | MysqlPool>,
): SqlDatabase {
  const enqueue = createQueue();

  /** Lends a connection that nobody else uses meanwhile. */
  async function use<T>(task: (connection: MysqlConnection) => Promise<T>): Promise<T> {
    const client = await open();
    if (!isPool(client)) return enqueue(() => prepare(client).then(() => task(client)));
    const connection = await client.getConnection();
    try {
      await prepare(connection);
      const result = await task(connection);
      connection.release!();
      return result;
    } catch (error) {
      // Whatever state it is in after an error, nobody else should get it, unless the server only said no.
      if (isRefusal(error)) connection.release!();
      else connection.destroy();
      throw error;
    }
  }

  /** Gaps between rows need no locks here, and make writers wait for each other. */
  async function prepare(connection: MysqlConnection): Promise<void> {
    const key = connection.connection ?? connection;
    if (prepared.has(key)) return;
    if (!heard.has(key)) connection.on?.("error", () => {});
    heard.add(key);
    await connection.query("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED");
    prepared.add(key);
  }

  return {
    dialect: MYSQL,
    setUp: () =>
      use(async (connection) => {
        const [rows] = await connection.query("SHOW TABLES LIKE 'sentiero\\_meta'");
        if ((rows as unknown[]).length > 0) return;
        for (const statement of SCHEMA) await connection.query(statement);
      }),
    query: (statement) => use((connection) => select(connection, statement)),
    change: (statement) => use((connection) => change(connection, statement)),
    put: ({ collection, id, score, json, terms, expectedVersion, blobs }) => {
      for (const text of [id, ...terms]) assertShort(text);
      return use((connection) =>
        transact(connection, async () => {
          const isFirst =
            expectedVersion === 0
              ? await isNew(change(connection, { sql: INSERT_DOCUMENT, params: [collection, id, score, json] }))
              : (await change(connection, {
                  sql: UPDATE_DOCUMENT,
                  params: [score, json, collection, id, expectedVersion],
                })) > 0;
          if (!isFirst) return false;
          if (expectedVersion > 0) {
            await change(connection, { sql: MOVE_TERMS, params: [score, collection, id, score] });
          }
          if (terms.length > 0) await change(connection, toInsertTermsSql(collection, id, score, terms));
          for (const [key, bytes] of blobs) await change(connection, toInsertBlobSql(key, bytes));
          return true;
        }),
      );
    },
    remove: (collection, id) =>
      use((connection) =>
        transact(connection, async () => {
          // The document first: who adds terms meanwhile holds its row, or waits for it.
          await change(connection, { sql: DELETE_DOCUMENT, params: [collection, id] });
          await change(connection, { sql: DELETE_TERMS, params: [collection, id] });
          return true;
        }),
      ).then(() => {}),
    createBlob: (key, bytes) => use((connection) => change(connection, toInsertBlobSql(key, bytes))).then(() => {}),
    createSchema: (version) =>
      use((connection) => isNew(change(connection, { sql: INSERT_SCHEMA, params: [String(version)] }))).then(() => {}),
    check: async () => {
      const client = await open();
      const [settings] = (await use((connection) =>
        select(connection, { sql: SELECT_SETTINGS, params: [] }),
      )) as Settings[];
      return findProblems(settings!, !isPool(client));
    },
  };
}

/**
 * Ids, terms and keys are kept as bytes: text would compare without case, or without the spaces at its end. The last
 * table tells that all are there, because each statement is a transaction of its own.
 */
const SCHEMA: readonly string[] = [
  `CREATE TABLE IF NOT EXISTS sentiero_documents (
    collection VARBINARY(255) NOT NULL,
    id VARBINARY(${MAX_ID_BYTES}) NOT NULL,
    score BIGINT NOT NULL,
    version BIGINT NOT NULL,
    doc LONGTEXT CHARACTER SET utf8mb4 NOT NULL,
    PRIMARY KEY (collection, id),
    INDEX sentiero_documents_by_score (collection, score, id)
  ) ENGINE = InnoDB ROW_FORMAT = DYNAMIC`,
  `CREATE TABLE IF NOT EXISTS sentiero_terms (
    collection VARBINARY(255) NOT NULL,
    term VARBINARY(${MAX_ID_BYTES}) NOT NULL,
    score BIGINT NOT NULL,
    id VARBINARY(${MAX_ID_BYTES}) NOT NULL,
    PRIMARY KEY (collection, term, id),
    INDEX sentiero_terms_by_score (collection, term, score, id),
    INDEX sentiero_terms_by_id (collection, id)
  ) ENGINE = InnoDB ROW_FORMAT = DYNAMIC`,
  `CREATE TABLE IF NOT EXISTS sentiero_blobs (
    \`key\` VARBINARY(255) NOT NULL PRIMARY KEY,
    bytes LONGBLOB NOT NULL
  ) ENGINE = InnoDB ROW_FORMAT = DYNAMIC`,
  `CREATE TABLE IF NOT EXISTS sentiero_meta (
    name VARBINARY(64) NOT NULL PRIMARY KEY,
    value VARCHAR(255) CHARACTER SET utf8mb4 NOT NULL
  ) ENGINE = InnoDB ROW_FORMAT = DYNAMIC`,
];

// A plain INSERT and a caught duplicate: INSERT IGNORE would shorten what is too long, and an upsert tells no difference.
const INSERT_DOCUMENT =
  "INSERT INTO sentiero_documents (collection, id, score, version, doc) VALUES (?, ?, CAST(? AS SIGNED), 1, ?)";
const UPDATE_DOCUMENT =
  "UPDATE sentiero_documents SET score = CAST(? AS SIGNED), version = version + 1, doc = ? WHERE collection = ? AND id = ? AND version = CAST(? AS SIGNED)";
const MOVE_TERMS =
  "UPDATE sentiero_terms SET score = CAST(? AS SIGNED) WHERE collection = ? AND id = ? AND score <> CAST(? AS SIGNED)";
const INSERT_SCHEMA = "INSERT INTO sentiero_meta (name, value) VALUES ('schema', ?)";

function toInsertTermsSql(collection: string, id: string, score: number, terms: readonly string[]): Sql {
  const rows = terms.map(() => "(?, ?, CAST(? AS SIGNED), ?)").join(", ");
  return {
    sql: `INSERT INTO sentiero_terms (collection, term, score, id) VALUES ${rows} ON DUPLICATE KEY UPDATE id = id`,
    params: terms.flatMap((term) => [collection, term, score, id]),
  };
}

function toInsertBlobSql(key: string, bytes: Uint8Array): Sql {
  return {
    sql: "INSERT INTO sentiero_blobs (key, bytes) VALUES (?, ?) ON DUPLICATE KEY UPDATE key = key",
    params: [key, toBuffer(bytes)],
  };
}

/** The client sends a Buffer as bytes, and other views as text. It runs only where there is Buffer. */
function toBuffer(bytes: Uint8Array): Uint8Array {
  const { Buffer } = globalThis as unknown as {
    Buffer: { from(buffer: ArrayBufferLike, offset: number, length: number): Uint8Array };
  };
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

async function select(connection: MysqlConnection, { sql, params }: Sql): Promise<readonly unknown[]> {
  return (await connection.execute(quote(sql), params))[0] as readonly unknown[];
}

async function change(connection: MysqlConnection, { sql, params }: Sql): Promise<number> {
  return ((await connection.execute(quote(sql), params))[0] as { affectedRows: number }).affectedRows;
}

/** `key` is a word of the language here. */
function quote(sql: string): string {
  return sql.replace(/\bkey\b/g, "`key`");
}

/** Whether an INSERT put a row, and did not meet one. */
async function isNew(inserted: Promise<unknown>): Promise<boolean> {
  try {
    await inserted;
    return true;
  } catch (error) {
    if (codeOf(error) === "ER_DUP_ENTRY") return false;
    throw error;
  }
}

/** Commits when the work gives true, and takes everything back otherwise. */
async function transact(connection: MysqlConnection, work: () => Promise<boolean>): Promise<boolean> {
  await connection.query("START TRANSACTION");
  try {
    const isDone = await work();
    await connection.query(isDone ? "COMMIT" : "ROLLBACK");
    return isDone;
  } catch (error) {
    // A lost connection has rolled back by itself; the first error is the one to tell.
    await connection.query("ROLLBACK").catch(() => {});
    throw error;
  }
}

function isPool(client: MysqlConnection | MysqlPool): client is MysqlPool {
  return "getConnection" in client;
}

/** The server said no to a statement and goes on listening: after the ROLLBACK of a transaction, nothing is left over. */
function isRefusal(error: unknown): boolean {
  const { fatal, sqlState } = error as { fatal?: unknown; sqlState?: unknown };
  return fatal !== true && typeof sqlState === "string" && !isAway(error);
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown }).code;
}

/** A server that is not strict would shorten an id, and two would become one. */
function assertShort(text: string): void {
  if (text.length * 3 > MAX_ID_BYTES && new TextEncoder().encode(text).byteLength > MAX_ID_BYTES) {
    throw new RangeError(`an id or term is longer than ${MAX_ID_BYTES} bytes`);
  }
}

interface Settings {
  readonly packet: number | string;
  readonly flush: number | string;
  readonly charset: string;
}

const SELECT_SETTINGS =
  "SELECT @@max_allowed_packet AS packet, @@innodb_flush_log_at_trx_commit AS flush, @@character_set_connection AS charset";

function findProblems({ packet, flush, charset }: Settings, isSingle: boolean): Finding[] {
  const found: Finding[] = [];
  if (Number(packet) < MIN_PACKET_BYTES) {
    found.push({
      level: "error",
      what: `max_allowed_packet is ${packet} bytes: large recordings cannot be written.`,
      remedy: `Set max_allowed_packet to at least ${MIN_PACKET_BYTES} on the server.`,
    });
  }
  if (Number(flush) !== 1) {
    found.push({
      level: "warning",
      what: `innodb_flush_log_at_trx_commit is ${flush}: a power cut loses what was answered in the last second.`,
      remedy: "Set innodb_flush_log_at_trx_commit = 1 on the server.",
    });
  }
  if (charset !== "utf8mb4") {
    found.push({
      level: "error",
      what: `The connection's character set is ${charset}: not every text can be kept.`,
      remedy: "Leave `charset` out of the connector's options, or set it to utf8mb4.",
    });
  }
  if (isSingle) found.push(SINGLE_CONNECTION);
  return found;
}
