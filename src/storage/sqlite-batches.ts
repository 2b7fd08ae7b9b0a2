import type { PutChange, SqlDatabase } from "./sql-database.ts";
import { DELETE_DOCUMENT, DELETE_TERMS, type Sql, SQLITE } from "./sql-statements.ts";
import {
  INSERT_BLOB,
  INSERT_DOCUMENT,
  INSERT_SCHEMA,
  MOVE_TERMS,
  SCHEMA,
  SELECT_META_TABLE,
  UPDATE_DOCUMENT,
} from "./sqlite-schema.ts";
import type { Finding } from "./store.ts";

/** SQLite behind an asynchronous client that takes several statements as one transaction: libSQL, D1. */
export interface BatchClient {
  query(statement: Sql): Promise<readonly unknown[]>;
  /** Runs all, or none; tells how many rows each changed. */
  batch(statements: readonly Sql[]): Promise<readonly number[]>;
  /** Runs once, before anything else. */
  prepare?(): Promise<void>;
  check(): Promise<readonly Finding[]>;
  scrub?(): Promise<void>;
}

/**
 * A transaction in which nothing can be decided between two statements. So the statements for blobs and terms ask for
 * themselves whether the document still has the expected version, and its own statement comes last and tells who won.
 */
export function connectBatches(client: BatchClient): SqlDatabase {
  const change = async (statement: Sql) => (await client.batch([statement]))[0]!;
  return {
    dialect: SQLITE,
    async setUp() {
      await client.prepare?.();
      const tables = await client.query({ sql: SELECT_META_TABLE, params: [] });
      if (tables.length === 0) await client.batch(SCHEMA.map((sql) => ({ sql, params: [] })));
    },
    query: client.query,
    change,
    put: async (put) => (await client.batch(toPutSql(put))).at(-1)! > 0,
    async remove(collection, id) {
      await client.batch([DELETE_TERMS, DELETE_DOCUMENT].map((sql) => ({ sql, params: [collection, id] })));
    },
    async createBlob(key, bytes) {
      await change({ sql: INSERT_BLOB, params: [key, bytes] });
    },
    async createSchema(version) {
      await change({ sql: INSERT_SCHEMA, params: [String(version)] });
    },
    check: client.check,
    ...(client.scrub && { scrub: client.scrub }),
  };
}

function toPutSql({ collection, id, score, json, terms, expectedVersion, blobs }: PutChange): Sql[] {
  const isCreate = expectedVersion === 0;
  const guard: Sql = isCreate
    ? {
        sql: "NOT EXISTS (SELECT 1 FROM sentiero_documents WHERE collection = ? AND id = ?)",
        params: [collection, id],
      }
    : {
        sql: "EXISTS (SELECT 1 FROM sentiero_documents WHERE collection = ? AND id = ? AND version = ?)",
        params: [collection, id, expectedVersion],
      };
  const statements: Sql[] = [];
  for (const [key, bytes] of blobs) {
    statements.push({
      sql: `INSERT INTO sentiero_blobs (key, bytes) SELECT ?, ? WHERE ${guard.sql} ON CONFLICT DO NOTHING`,
      params: [key, bytes, ...guard.params],
    });
  }
  if (!isCreate) {
    statements.push({
      sql: `${MOVE_TERMS} AND ${guard.sql}`,
      params: [score, collection, id, score, ...guard.params],
    });
  }
  if (terms.length > 0) {
    statements.push({
      sql: `INSERT INTO sentiero_terms (collection, term, score, id) SELECT ?, value, ?, ? FROM json_each(?) WHERE ${guard.sql} ON CONFLICT DO NOTHING`,
      params: [collection, score, id, JSON.stringify(terms), ...guard.params],
    });
  }
  statements.push(
    isCreate
      ? { sql: INSERT_DOCUMENT, params: [collection, id, score, json] }
      : { sql: UPDATE_DOCUMENT, params: [score, json, collection, id, expectedVersion] },
  );
  return statements;
}
