import type { CountQuery, Cursor, PageQuery, StoredDocument } from "./documents.ts";
import { decodeText, encodeText } from "./text.ts";

/** What a statement takes. Lists are for PostgreSQL, which takes them as arrays. */
export type SqlValue = string | number | Uint8Array | readonly string[];

/** A statement with `?` in the places of its values. */
export interface Sql {
  readonly sql: string;
  readonly params: readonly SqlValue[];
}

/** Where databases differ in what they are asked. */
export interface Dialect {
  /** Follows the name of a table that is walked in the order of `index`. */
  walk(index: string): string;
  /** The place of a score, as an integer whatever the client makes of a number. */
  readonly score: string;
  readonly limit: (rows: number) => SqlValue;
  /** What lies behind a cursor in the direction of the page. */
  behind(cursor: Cursor, descending: boolean): Sql;
  /** Whether an id is one of a list of at most 200. */
  isAmong(ids: readonly string[]): Sql;
  /** Deletes at most so many blobs from `first` to before `end`. */
  deleteBlobs(first: string, end: string, max: number): Sql;
}

/** The SQLite family: SQLite, libSQL and D1. */
export const SQLITE: Dialect = {
  walk: () => "",
  score: "?",
  limit: (rows) => rows,
  behind: ({ score, id }, descending) => ({
    sql: `(score, id) ${descending ? "<" : ">"} (?, ?)`,
    params: [score, encodeText(id)],
  }),
  // One value instead of many: D1 takes at most 100.
  isAmong: (ids) => ({ sql: "IN (SELECT value FROM json_each(?))", params: [JSON.stringify(ids.map(encodeText))] }),
  deleteBlobs: (first, end, max) => ({
    sql: "DELETE FROM sentiero_blobs WHERE key IN (SELECT key FROM sentiero_blobs WHERE key >= ? AND key < ? ORDER BY key LIMIT ?)",
    params: [first, end, max],
  }),
};

/** PostgreSQL and what speaks its language. */
export const POSTGRES: Dialect = {
  ...SQLITE,
  isAmong: (ids) => ({ sql: "= ANY(?::text[])", params: [ids.map(encodeText)] }),
};

/** MySQL and MariaDB. */
export const MYSQL: Dialect = {
  // Without it MariaDB now and then sorts a whole collection instead.
  walk: (index) => ` FORCE INDEX (${index})`,
  // A number arrives as a double.
  score: "CAST(? AS SIGNED)",
  limit: String,
  // A comparison of rows does not use an index here.
  behind: ({ score, id }, descending) => {
    const side = descending ? "<" : ">";
    return {
      sql: `score ${side}= CAST(? AS SIGNED) AND (score ${side} CAST(? AS SIGNED) OR id ${side} ?)`,
      params: [score, score, encodeText(id)],
    };
  },
  // Filled up to powers of two, so that there are few different statements to prepare.
  isAmong: (ids) => {
    const places = 2 ** Math.ceil(Math.log2(Math.max(ids.length, 1)));
    const params = Array.from({ length: places }, (_, index) => encodeText(ids[Math.min(index, ids.length - 1)] ?? ""));
    return { sql: `IN (${params.map(() => "?").join(", ")})`, params };
  },
  deleteBlobs: (first, end, max) => ({
    sql: "DELETE FROM sentiero_blobs WHERE key >= ? AND key < ? ORDER BY key LIMIT ?",
    params: [first, end, String(max)],
  }),
};

export const SELECT_DOCUMENT = "SELECT id, doc, version, score FROM sentiero_documents WHERE collection = ? AND id = ?";
export const SELECT_SCHEMA = "SELECT value FROM sentiero_meta WHERE name = 'schema'";
export const SELECT_BLOB = "SELECT bytes FROM sentiero_blobs WHERE key = ?";
export const HAS_BLOB = "SELECT 1 FROM sentiero_blobs WHERE key = ?";
export const DELETE_BLOB = "DELETE FROM sentiero_blobs WHERE key = ?";
export const DELETE_TERMS = "DELETE FROM sentiero_terms WHERE collection = ? AND id = ?";
export const DELETE_DOCUMENT = "DELETE FROM sentiero_documents WHERE collection = ? AND id = ?";

/** Several documents, in any order. */
export function toManySql(dialect: Dialect, collection: string, ids: readonly string[]): Sql {
  const among = dialect.isAmong(ids);
  return {
    sql: `SELECT id, doc, version, score FROM sentiero_documents WHERE collection = ? AND id ${among.sql}`,
    params: [collection, ...among.params],
  };
}

/**
 * A page. One row more than asked for tells whether there is a next one. Both forms walk an index and stop at the limit;
 * a term's page looks up no more documents than it shows.
 */
export function toPageSql(dialect: Dialect, collection: string, query: PageQuery): Sql {
  const side = query.order === "descending" ? "DESC" : "ASC";
  const { from, where, params } = toRange(dialect, collection, narrow(query));
  if (query.after) {
    const behind = dialect.behind(query.after, query.order === "descending");
    where.push(behind.sql);
    params.push(...behind.params);
  }
  const columns = query.term === undefined ? "id, doc, version, score" : "id, score";
  const walk = `SELECT ${columns} FROM ${from} WHERE ${where.join(" AND ")} ORDER BY score ${side}, id ${side} LIMIT ?`;
  params.push(dialect.limit(query.limit + 1));
  if (query.term === undefined) return { sql: walk, params };
  return {
    sql: `SELECT d.id, d.doc, d.version, k.score FROM (${walk}) k CROSS JOIN sentiero_documents d WHERE d.collection = ? AND d.id = k.id ORDER BY k.score ${side}, k.id ${side}`,
    params: [...params, collection],
  };
}

/** The range as the cursor leaves it: SQLite searches an index by single columns only, and would walk all that lies before. */
function narrow({ term, from, to, after, order }: PageQuery): Pick<CountQuery, "term" | "from" | "to"> {
  if (!after) return { term, from, to };
  if (order === "descending") return { term, from, to: Math.min(to ?? Infinity, after.score) };
  return { term, from: Math.max(from ?? -Infinity, after.score), to };
}

/** How many documents match, in the column `count`. Without the order PostgreSQL reads the table from its start to find a few. */
export function toCountSql(dialect: Dialect, collection: string, query: CountQuery): Sql {
  const { from, where, params } = toRange(dialect, collection, query);
  return {
    sql: `SELECT count(*) AS count FROM (SELECT 1 FROM ${from} WHERE ${where.join(" AND ")} ORDER BY score, id LIMIT ?) k`,
    params: [...params, dialect.limit(query.max)],
  };
}

function toRange(
  dialect: Dialect,
  collection: string,
  { term, from, to }: Pick<CountQuery, "term" | "from" | "to">,
): { from: string; where: string[]; params: SqlValue[] } {
  const conditions: [string, SqlValue | undefined][] = [
    ["collection = ?", collection],
    ["term = ?", term === undefined ? undefined : encodeText(term)],
    [`score >= ${dialect.score}`, from],
    [`score <= ${dialect.score}`, to],
  ];
  const given = conditions.filter((condition): condition is [string, SqlValue] => condition[1] !== undefined);
  const table = term === undefined ? "sentiero_documents" : "sentiero_terms";
  return {
    from: table + dialect.walk(`${table}_by_score`),
    where: given.map(([text]) => text),
    params: given.map(([, value]) => value),
  };
}

/** The keys of blobs behind a cursor. */
export function toListSql(dialect: Dialect, prefix: string, cursor: string | null, limit: number): Sql {
  return {
    sql: "SELECT key FROM sentiero_blobs WHERE key > ? AND key >= ? AND key < ? ORDER BY key LIMIT ?",
    params: [cursor ?? "", prefix, endOf(prefix), dialect.limit(limit)],
  };
}

/**
 * What comes after every key with a prefix. Keys are plain ASCII, and a prefix ends with a colon, which is followed by
 * the semicolon.
 */
export function endOf(prefix: string): string {
  return prefix === "" ? "\u007f" : `${prefix.slice(0, -1)};`;
}

/** A document's row, as the databases give it: MySQL has ids as bytes, PostgreSQL large integers as text. */
export interface DocumentRow {
  readonly id: string | Uint8Array;
  readonly doc: string;
  readonly version: number | string | bigint;
  readonly score: number | string | bigint;
}

/** A document of its row. */
export function toStored<T>({ id, doc, version, score }: DocumentRow): StoredDocument<T> {
  return { id: toText(id), doc: JSON.parse(doc) as T, version: Number(version), score: Number(score) };
}

/** Text of a column that may be one of bytes. */
export function toText(value: string | Uint8Array): string {
  return decodeText(typeof value === "string" ? value : decoder.decode(value));
}

// Without the flag, a text that begins with a byte order mark would lose it.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Bytes of a column, which come as Buffer, Uint8Array, ArrayBuffer or a list of numbers, by client. */
export function toBytes(value: unknown): Uint8Array {
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (value instanceof Uint8Array) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  if (Array.isArray(value)) return Uint8Array.from(value as number[]);
  throw new TypeError(`the database gave back bytes as ${typeof value}`);
}
