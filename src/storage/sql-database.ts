import type { DocumentStore, PageQuery, PutOptions } from "./documents.ts";
import type { BlobStore } from "./blobs.ts";
import { isAway, isConflict, toBusy, toUnavailable } from "./sql-errors.ts";
import {
  DELETE_BLOB,
  type Dialect,
  type DocumentRow,
  endOf,
  HAS_BLOB,
  SELECT_BLOB,
  SELECT_DOCUMENT,
  SELECT_SCHEMA,
  type Sql,
  toBytes,
  toCountSql,
  toListSql,
  toManySql,
  toPageSql,
  toStored,
  toText,
} from "./sql-statements.ts";
import type { Finding, Store, StoreDescription } from "./store.ts";
import { encodeText } from "./text.ts";

/**
 * A database behind an asynchronous client. Each method is one transaction: done, or not done and an error. An error
 * of `isConflict` is tried again, one of `isAway` is told as 503.
 */
export interface SqlDatabase {
  readonly dialect: Dialect;
  /** Creates what is missing in an empty database; several processes may do so at once. Changes nothing in one that is set up. */
  setUp(): Promise<void>;
  query(statement: Sql): Promise<readonly unknown[]>;
  /** Runs a statement that changes rows, and tells how many. */
  change(statement: Sql): Promise<number>;
  put(change: PutChange): Promise<boolean>;
  remove(collection: string, id: string): Promise<void>;
  createBlob(key: string, bytes: Uint8Array): Promise<void>;
  /** Writes the schema's number where there is none. */
  createSchema(version: number): Promise<void>;
  check(): Promise<readonly Finding[]>;
  scrub?(): Promise<void>;
}

/** A put as the database gets it: id and terms encoded, the document as JSON. */
export interface PutChange {
  readonly collection: string;
  readonly id: string;
  readonly json: string;
  readonly score: number;
  readonly terms: readonly string[];
  readonly expectedVersion: number;
  readonly blobs: ReadonlyMap<string, Uint8Array>;
}

/** Conflicts are tried again for this long. */
const CONFLICT_TIMEOUT_MS = 5_000;

/** After this long without an answer the caller is told to come back; a stopped server keeps its connections open. */
const ANSWER_TIMEOUT_MS = 10_000;

const KEYS_PER_PAGE = 1_000;
const BLOBS_PER_DELETE = 50;
const NO_BLOBS: ReadonlyMap<string, Uint8Array> = new Map();

/** The store over a database. */
export function createDatabaseStore(database: SqlDatabase, about: StoreDescription): Store {
  const begun = new Set<Promise<unknown>>();
  let settingUp: Promise<void> | null = null;
  let isSetUp = false;

  async function setUp(): Promise<void> {
    // Forgotten when it fails, so that the next call tries again.
    settingUp ??= retryConflicts(() => database.setUp()).finally(() => (settingUp = null));
    await settingUp;
    isSetUp = true;
  }

  async function attempt<T>(task: (database: SqlDatabase) => Promise<T>): Promise<T> {
    try {
      if (!isSetUp) await setUp();
      return await retryConflicts(() => task(database));
    } catch (error) {
      throw isAway(error) ? toUnavailable(error) : error;
    }
  }

  function run<T>(task: (database: SqlDatabase) => Promise<T>): Promise<T> {
    const running = withDeadline(attempt(task)).finally(() => begun.delete(running));
    begun.add(running);
    return running;
  }

  function put(
    collection: string,
    id: string,
    doc: unknown,
    { score, terms = [], expectedVersion }: PutOptions,
    blobs = NO_BLOBS,
  ): Promise<boolean> {
    const change = {
      collection,
      id: encodeText(id),
      json: JSON.stringify(doc),
      score,
      terms: terms.map(encodeText),
      expectedVersion,
      blobs,
    };
    return run((database) => database.put(change));
  }

  return {
    documents: createDocuments(run, (collection, id, doc, options) => put(collection, id, doc, options)),
    blobs: createBlobs(run),
    putWithBlobs: put,
    about,
    schemaVersion: (initial) =>
      run(async (database) => {
        const read = async () => (await database.query({ sql: SELECT_SCHEMA, params: [] })) as { value: string }[];
        let [row] = await read();
        if (!row) {
          await database.createSchema(initial);
          [row] = await read();
        }
        return Number(row?.value ?? initial);
      }),
    check: () => run((database) => database.check()),
    ...(database.scrub && { scrub: () => run((database) => database.scrub!()) }),
    isFull: () => false,
    async close() {
      while (begun.size > 0) await Promise.allSettled(begun);
    },
  };
}

type Run = <T>(task: (database: SqlDatabase) => Promise<T>) => Promise<T>;

function createDocuments(run: Run, put: DocumentStore["put"]): DocumentStore {
  return {
    async get<T>(collection: string, id: string) {
      const rows = await run(({ query }) => query({ sql: SELECT_DOCUMENT, params: [collection, encodeText(id)] }));
      const [row] = rows as DocumentRow[];
      return row ? toStored<T>(row) : null;
    },
    async getMany<T>(collection: string, ids: readonly string[]) {
      if (ids.length === 0) return [];
      const rows = await run(({ dialect, query }) => query(toManySql(dialect, collection, ids)));
      const found = new Map((rows as DocumentRow[]).map((row) => [toText(row.id), row]));
      return ids.map((id) => {
        const row = found.get(id);
        return row ? toStored<T>(row) : null;
      });
    },
    put,
    remove: (collection, id) => run((database) => database.remove(collection, encodeText(id))),
    async page<T>(collection: string, query: PageQuery) {
      const rows = await run((database) => database.query(toPageSql(database.dialect, collection, query)));
      const items = (rows as DocumentRow[]).slice(0, query.limit).map((row) => toStored<T>(row));
      const tail = items.at(-1);
      return { items, cursor: rows.length > query.limit && tail ? { score: tail.score, id: tail.id } : null };
    },
    async count(collection, query) {
      const rows = await run((database) => database.query(toCountSql(database.dialect, collection, query)));
      return Number((rows as { count: number | string }[])[0]!.count);
    },
  };
}

function createBlobs(run: Run): BlobStore {
  return {
    create: (key, bytes) => run((database) => database.createBlob(key, bytes)),
    async get(key) {
      const rows = await run(({ query }) => query({ sql: SELECT_BLOB, params: [key] }));
      const [row] = rows as { bytes: unknown }[];
      return row ? toBytes(row.bytes) : null;
    },
    has: async (key) => (await run(({ query }) => query({ sql: HAS_BLOB, params: [key] }))).length > 0,
    async remove(key) {
      await run(({ change }) => change({ sql: DELETE_BLOB, params: [key] }));
    },
    async removeAll(prefix) {
      // In pieces, so that nobody waits long for the rows or the log that a statement holds. How many went does not tell
      // whether any are left: others who remove the same take rows out of a piece.
      const isDone = () =>
        run(async ({ dialect, change, query }) => {
          await change(dialect.deleteBlobs(prefix, endOf(prefix), BLOBS_PER_DELETE));
          return (await query(toListSql(dialect, prefix, null, 1))).length === 0;
        });
      while (!(await isDone()));
    },
    async list(prefix, cursor) {
      const rows = await run(({ dialect, query }) => query(toListSql(dialect, prefix, cursor, KEYS_PER_PAGE)));
      const keys = (rows as { key: string | Uint8Array }[]).map(({ key }) => toText(key));
      return { keys, cursor: keys.length === KEYS_PER_PAGE ? keys.at(-1)! : null };
    },
  };
}

async function retryConflicts<T>(task: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + CONFLICT_TIMEOUT_MS;
  for (let tries = 1; ; tries++) {
    try {
      return await task();
    } catch (error) {
      if (!isConflict(error)) throw error;
      if (Date.now() > deadline) throw toBusy(error);
      await new Promise((resolve) => setTimeout(resolve, 1 + Math.random() * Math.min(5 * 2 ** tries, 100)));
    }
  }
}

/** What comes after the deadline is dropped; a write may still have been done, as after a lost connection. */
function withDeadline<T>(task: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(toUnavailable(new Error("no answer in time"))), ANSWER_TIMEOUT_MS);
    task.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
