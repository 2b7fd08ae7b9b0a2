import type { Platform } from "../platform.ts";
import type { BlobStore } from "./blobs.ts";
import type { CountQuery, DocumentStore, PageQuery, PutOptions, StoredDocument } from "./documents.ts";
import { connect, type Connection, type SqliteClient, type SqliteValue, type Statements } from "./sqlite-connection.ts";
import type { Store } from "./store.ts";

/**
 * Documents and blobs in tables of their own. Writes of one tick share one transaction and one fsync: what was answered
 * survives a power cut (`synchronous = FULL`). Several processes may use one file.
 */
export function createSqliteStore(client: SqliteClient, platform: Pick<Platform, "defer">): Store {
  const connection = connect(client, platform);
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
    isFull: () => false,
    close: connection.drained,
  };
}

interface Row {
  id: string;
  doc: string;
  version: number;
  score: number;
}

function toStored<T>({ id, doc, version, score }: Row): StoredDocument<T> {
  return { id, doc: JSON.parse(doc) as T, version, score };
}

function createDocuments({ read, write }: Connection): DocumentStore {
  const SELECT = "SELECT id, doc, version, score FROM sentiero_documents WHERE collection = ? AND id = ?";
  return {
    async get<T>(collection: string, id: string) {
      const row = await read((sql) => sql(SELECT).get(collection, id) as Row | undefined);
      return row ? toStored<T>(row) : null;
    },
    async getMany<T>(collection: string, ids: readonly string[]) {
      const rows = await read((sql) => ids.map((id) => sql(SELECT).get(collection, id) as Row | undefined));
      return rows.map((row) => (row ? toStored<T>(row) : null));
    },
    put(collection, id, doc, options) {
      const json = JSON.stringify(doc);
      return write((sql) => putDocument(sql, collection, id, json, options));
    },
    remove: (collection, id) =>
      write((sql) => {
        sql("DELETE FROM sentiero_terms WHERE collection = ? AND id = ?").run(collection, id);
        sql("DELETE FROM sentiero_documents WHERE collection = ? AND id = ?").run(collection, id);
      }),
    async page<T>(collection: string, query: PageQuery) {
      const { sql: text, params } = toPageSql(collection, query);
      const rows = await read((sql) => sql(text).all(...params) as Row[]);
      const items = rows.slice(0, query.limit).map((row) => toStored<T>(row));
      const tail = items.at(-1);
      return { items, cursor: rows.length > query.limit && tail ? { score: tail.score, id: tail.id } : null };
    },
    async count(collection, query) {
      const { sql: text, params } = toCountSql(collection, query);
      const row = await read((sql) => sql(text).get(...params) as { count: number });
      return row.count;
    },
  };
}

function putDocument(
  sql: Statements,
  collection: string,
  id: string,
  json: string,
  { score, terms = [], expectedVersion }: PutOptions,
): boolean {
  const { changes } =
    expectedVersion === 0
      ? sql(INSERT_DOCUMENT).run(collection, id, score, json)
      : sql(UPDATE_DOCUMENT).run(score, json, collection, id, expectedVersion);
  if (Number(changes) === 0) return false;
  if (expectedVersion > 0) sql(MOVE_TERMS).run(score, collection, id, score);
  for (const term of terms) sql(INSERT_TERM).run(collection, term, score, id);
  return true;
}

const INSERT_DOCUMENT =
  "INSERT INTO sentiero_documents (collection, id, score, version, doc) VALUES (?, ?, ?, 1, ?) ON CONFLICT DO NOTHING";
const UPDATE_DOCUMENT =
  "UPDATE sentiero_documents SET score = ?, version = version + 1, doc = ? WHERE collection = ? AND id = ? AND version = ?";
const MOVE_TERMS = "UPDATE sentiero_terms SET score = ? WHERE collection = ? AND id = ? AND score <> ?";
const INSERT_TERM =
  "INSERT INTO sentiero_terms (collection, term, score, id) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING";
const INSERT_BLOB = "INSERT INTO sentiero_blobs (key, bytes) VALUES (?, ?) ON CONFLICT DO NOTHING";

/** One row more than asked for tells whether there is a next page. Both forms walk an index and stop at the limit. */
function toPageSql(collection: string, query: PageQuery): { sql: string; params: SqliteValue[] } {
  const { from, where, params } = toRange(collection, query);
  const descending = query.order === "descending";
  if (query.after) {
    where.push(descending ? "(k.score, k.id) < (?, ?)" : "(k.score, k.id) > (?, ?)");
    params.push(query.after.score, query.after.id);
  }
  const side = descending ? "DESC" : "ASC";
  const join =
    query.term === undefined ? "" : " JOIN sentiero_documents d ON d.collection = k.collection AND d.id = k.id";
  const source = query.term === undefined ? "k" : "d";
  return {
    sql: `SELECT k.id, ${source}.doc, ${source}.version, k.score FROM ${from} k${join} WHERE ${where.join(" AND ")} ORDER BY k.score ${side}, k.id ${side} LIMIT ?`,
    params: [...params, query.limit + 1],
  };
}

function toCountSql(collection: string, query: CountQuery): { sql: string; params: SqliteValue[] } {
  const { from, where, params } = toRange(collection, query);
  return {
    sql: `SELECT count(*) AS count FROM (SELECT 1 FROM ${from} k WHERE ${where.join(" AND ")} LIMIT ?)`,
    params: [...params, query.max],
  };
}

function toRange(
  collection: string,
  { term, from, to }: Pick<CountQuery, "term" | "from" | "to">,
): { from: string; where: string[]; params: SqliteValue[] } {
  const conditions: [string, SqliteValue | undefined][] = [
    ["k.collection = ?", collection],
    ["k.term = ?", term],
    ["k.score >= ?", from],
    ["k.score <= ?", to],
  ];
  const given = conditions.filter((condition): condition is [string, SqliteValue] => condition[1] !== undefined);
  const where = given.map(([text]) => text);
  const params = given.map(([, value]) => value);
  return { from: term === undefined ? "sentiero_documents" : "sentiero_terms", where, params };
}

function createBlobs({ read, write }: Connection): BlobStore {
  return {
    async create(key, bytes) {
      await write((sql) => sql(INSERT_BLOB).run(key, bytes));
    },
    async get(key) {
      const row = await read(
        (sql) => sql("SELECT bytes FROM sentiero_blobs WHERE key = ?").get(key) as { bytes: Uint8Array } | undefined,
      );
      return row?.bytes ?? null;
    },
    has: (key) => read((sql) => sql("SELECT 1 FROM sentiero_blobs WHERE key = ?").get(key) !== undefined),
    async remove(key) {
      await write((sql) => sql("DELETE FROM sentiero_blobs WHERE key = ?").run(key));
    },
    async removeAll(prefix) {
      // Keys are plain ASCII, so everything with this prefix lies before the prefix with its colon raised to a semicolon.
      const end = `${prefix.slice(0, -1)};`;
      // In pieces: bytes are overwritten as they go, and others are waiting.
      const isDone = () =>
        write((sql) => Number(sql(DELETE_BLOBS).run(prefix, end, BLOBS_PER_DELETE).changes) < BLOBS_PER_DELETE);
      while (!(await isDone()));
    },
  };
}

const BLOBS_PER_DELETE = 8;
const DELETE_BLOBS =
  "DELETE FROM sentiero_blobs WHERE key IN (SELECT key FROM sentiero_blobs WHERE key >= ? AND key < ? LIMIT ?)";
