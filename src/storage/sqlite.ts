import type { BlobStore } from "./blobs.ts";
import type { DocumentStore, PageQuery, PutOptions } from "./documents.ts";
import {
  DELETE_BLOB,
  DELETE_DOCUMENT,
  DELETE_TERMS,
  type DocumentRow,
  endOf,
  HAS_BLOB,
  SELECT_BLOB,
  SELECT_DOCUMENT,
  type Sql,
  SQLITE,
  toBytes,
  toCountSql,
  toListSql,
  toPageSql,
  toStored,
} from "./sql-statements.ts";
import {
  connect,
  type Connection,
  type SqliteClient,
  type SqliteSettings,
  type SqliteValue,
  type Statements,
} from "./sqlite-connection.ts";
import {
  INSERT_BLOB,
  INSERT_DOCUMENT,
  INSERT_TERM,
  MOVE_TERMS,
  UPDATE_DOCUMENT,
  UPDATE_IN_PLACE,
} from "./sqlite-schema.ts";
import type { Finding, Store } from "./store.ts";
import { encodeText } from "./text.ts";

/**
 * Documents and blobs in tables of their own. Writes of one tick share one transaction and one fsync: with the
 * durability "power", what was answered survives a power cut (`synchronous = FULL`); with "process" only the end of our
 * process. Several processes may use one file.
 */
export function createSqliteStore(open: () => SqliteClient | Promise<SqliteClient>, settings: SqliteSettings): Store {
  const connection = connect(open, settings);
  return {
    documents: createDocuments(connection),
    blobs: createBlobs(connection),
    putWithBlobs: (collection, id, doc, options, blobs) => {
      const json = JSON.stringify(doc);
      return connection.write((sql) => {
        if (!putDocument(sql, collection, id, json, options)) return false;
        for (const [key, bytes] of blobs) sql(INSERT_BLOB).run(key, bytes);
        return true;
      });
    },
    about: { name: "SQLite", writers: "one machine", durability: settings.durability },
    schemaVersion: connection.schemaVersion,
    check: () => connection.read(findProblems),
    scrub: connection.scrub,
    isFull: () => false,
    close: connection.drained,
  };
}

function createDocuments({ read, write }: Connection): DocumentStore {
  const find = (sql: Statements, collection: string, id: string) =>
    sql(SELECT_DOCUMENT).get(collection, encodeText(id)) as DocumentRow | undefined | null;
  return {
    async get<T>(collection: string, id: string) {
      const row = await read((sql) => find(sql, collection, id));
      return row ? toStored<T>(row) : null;
    },
    async getMany<T>(collection: string, ids: readonly string[]) {
      const rows = await read((sql) => ids.map((id) => find(sql, collection, id)));
      return rows.map((row) => (row ? toStored<T>(row) : null));
    },
    put(collection, id, doc, options) {
      const json = JSON.stringify(doc);
      return write((sql) => putDocument(sql, collection, id, json, options));
    },
    remove: (collection, id) =>
      write((sql) => {
        const key = encodeText(id);
        sql(DELETE_TERMS).run(collection, key);
        sql(DELETE_DOCUMENT).run(collection, key);
      }),
    async page<T>(collection: string, query: PageQuery) {
      const rows = (await read((sql) => all(sql, toPageSql(SQLITE, collection, query)))) as DocumentRow[];
      const items = rows.slice(0, query.limit).map((row) => toStored<T>(row));
      const tail = items.at(-1);
      return { items, cursor: rows.length > query.limit && tail ? { score: tail.score, id: tail.id } : null };
    },
    async count(collection, query) {
      const rows = await read((sql) => all(sql, toCountSql(SQLITE, collection, query)));
      return (rows as { count: number }[])[0]!.count;
    },
  };
}

function all(sql: Statements, { sql: text, params }: Sql): unknown[] {
  return sql(text).all(...(params as readonly SqliteValue[]));
}

function putDocument(
  sql: Statements,
  collection: string,
  id: string,
  json: string,
  { score, terms = [], expectedVersion }: PutOptions,
): boolean {
  const key = encodeText(id);
  const isChanged = (text: string, ...params: SqliteValue[]) => Number(sql(text).run(...params).changes) > 0;
  if (expectedVersion === 0) {
    if (!isChanged(INSERT_DOCUMENT, collection, key, score, json)) return false;
  } else if (!isChanged(UPDATE_IN_PLACE, json, collection, key, expectedVersion, score)) {
    if (!isChanged(UPDATE_DOCUMENT, score, json, collection, key, expectedVersion)) return false;
    sql(MOVE_TERMS).run(score, collection, key, score);
  }
  for (const term of terms) sql(INSERT_TERM).run(collection, encodeText(term), score, key);
  return true;
}

function createBlobs({ read, write }: Connection): BlobStore {
  return {
    async create(key, bytes) {
      await write((sql) => sql(INSERT_BLOB).run(key, bytes));
    },
    async get(key) {
      const row = (await read((sql) => sql(SELECT_BLOB).get(key))) as { bytes: unknown } | undefined | null;
      return row ? toBytes(row.bytes) : null;
    },
    has: (key) => read((sql) => Boolean(sql(HAS_BLOB).get(key))),
    async remove(key) {
      await write((sql) => sql(DELETE_BLOB).run(key));
    },
    async removeAll(prefix) {
      const { sql: text, params } = SQLITE.deleteBlobs(prefix, endOf(prefix), BLOBS_PER_DELETE);
      // In pieces: bytes are overwritten as they go, and others are waiting.
      const isDone = () =>
        write((sql) => Number(sql(text).run(...(params as SqliteValue[])).changes) < BLOBS_PER_DELETE);
      while (!(await isDone()));
    },
    async list(prefix, cursor) {
      const rows = await read((sql) => all(sql, toListSql(SQLITE, prefix, cursor, KEYS_PER_PAGE)));
      const keys = (rows as { key: string }[]).map(({ key }) => key);
      return { keys, cursor: keys.length === KEYS_PER_PAGE ? keys.at(-1)! : null };
    },
  };
}

const KEYS_PER_PAGE = 1_000;
const BLOBS_PER_DELETE = 8;

/** A check of the whole file blocks the event loop, for about a millisecond a megabyte; larger files are not checked. */
const MAX_CHECKED_BYTES = 16 * 1024 * 1024;

function findProblems(sql: Statements): Finding[] {
  const found: Finding[] = [];
  const pragma = <T>(name: string) => Object.values(sql(`PRAGMA ${name}`).get() as Record<string, T>)[0]!;
  if (pragma<string>("journal_mode") !== "wal") {
    found.push({
      level: "warning",
      what: "The SQLite file is not in WAL mode: readers and writers wait for each other.",
      remedy: "Keep the file on a local disk, not in memory or on a network share.",
    });
  }
  if (pragma<number>("page_count") * pragma<number>("page_size") <= MAX_CHECKED_BYTES) {
    const answer = pragma<string>("quick_check(1)");
    if (answer !== "ok") {
      found.push({
        level: "error",
        what: `The SQLite file is damaged: ${answer.split("\n")[0]}`,
        remedy: "Stop the server, and restore a backup or run `sqlite3 FILE .recover`.",
      });
    }
  }
  return found;
}
