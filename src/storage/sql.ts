import { SentieroError } from "../errors.ts";
import { connectD1, D1_MAX_BLOB_BYTES, type D1Client } from "./d1.ts";
import { connectLibsql, LIBSQL_MAX_BLOB_BYTES, type LibsqlClient } from "./libsql.ts";
import { connectMysql, MYSQL_MAX_BLOB_BYTES, type MysqlConnection, type MysqlPool } from "./mysql.ts";
import {
  connectPostgres,
  PGLITE_MAX_BLOB_BYTES,
  type PgliteClient,
  POSTGRES_MAX_BLOB_BYTES,
  type PostgresClient,
  toPostgresClient,
} from "./postgres.ts";
import { createDatabaseStore, type SqlDatabase } from "./sql-database.ts";
import type { SqliteClient, SqlitePlatform } from "./sqlite-connection.ts";
import { createSqliteStore } from "./sqlite.ts";
import type { Store, StoreDescription } from "./store.ts";

/** What is used of a database of db0. */
export interface SqlConnection {
  /** The name of its connector. */
  readonly connector: string;
  /** The connector's own client, which it may make anew. */
  getInstance(): unknown;
}

export interface SqlOptions {
  readonly platform: SqlitePlatform;
  /**
   * What an answer on SQLite survives: a power cut, or the end of our process only, which is faster. PostgreSQL answers
   * before its log is on the disk with "process". Other databases do as they are set.
   */
  readonly durability: "power" | "process";
  /** Told what is slower than it should be. @default console.warn */
  readonly warn?: (message: string) => void;
}

/** A store in a database, and how long a blob may be there; longer ones have to be cut into parts. */
export interface SqlStore extends Store {
  readonly maxBlobBytes: number;
}

/** The connectors of db0 that work, and our own. */
const CONNECTORS =
  "node-sqlite, better-sqlite3, bun-sqlite, libsql, cloudflare-d1, postgresql, pglite, mysql2, and postgresPool and mysqlPool of sentiero/connectors";

/**
 * The store in the database behind a db0 connector, in tables of its own whose names start with `sentiero_`. The
 * connector's own client is used: db0 prepares a statement anew for every call, and has no transactions.
 * @throws SentieroError STORAGE_UNSUPPORTED naming the connector and what works.
 */
export function createSqlStore(
  database: SqlConnection,
  { platform, durability, warn = (message) => console.warn(message) }: SqlOptions,
): SqlStore {
  const open = <T>() => database.getInstance() as T | Promise<T>;
  switch (database.connector) {
    case "node-sqlite":
    // better-sqlite3 and bun:sqlite.
    case "sqlite": {
      const isNodeSqlite = database.connector === "node-sqlite";
      const settings = { platform, durability, isNodeSqlite, warn };
      return { ...createSqliteStore(() => open<SqliteClient>(), settings), maxBlobBytes: Infinity };
    }
    case "libsql-core":
    case "libsql-node":
    case "libsql-http":
    case "libsql-web": {
      const libsql = connectLibsql(() => open<LibsqlClient>());
      return createStore(libsql, { name: "libSQL", writers: "any" }, LIBSQL_MAX_BLOB_BYTES);
    }
    case "cloudflare-d1":
      return createStore(
        connectD1(() => open<D1Client>()),
        { name: "Cloudflare D1", writers: "any" },
        D1_MAX_BLOB_BYTES,
      );
    case "postgresql":
    case "postgresql-pool":
    case "neon":
    case "cloudflare-hyperdrive-postgresql": {
      const postgres = connectPostgres(() => open<PostgresClient>(), { durability });
      const about = { name: "PostgreSQL", writers: "any", durability: promise(durability) } as const;
      return createStore(postgres, about, POSTGRES_MAX_BLOB_BYTES);
    }
    case "pglite": {
      const clients = new WeakMap<PgliteClient, PostgresClient>();
      const pglite = connectPostgres(
        async () => {
          const instance = await open<PgliteClient>();
          const client = clients.get(instance) ?? toPostgresClient(instance);
          clients.set(instance, client);
          return client;
        },
        { durability: "power" },
      );
      // It runs without fsync, in this process, and cannot be told otherwise: there is nothing to find.
      const about = { name: "PGlite", writers: "one process", durability: "process" } as const;
      return createStore({ ...pglite, check: async () => [] }, about, PGLITE_MAX_BLOB_BYTES);
    }
    case "mysql":
    case "mysql-pool": {
      const mysql = connectMysql(() => open<MysqlConnection | MysqlPool>());
      return createStore(mysql, { name: "MySQL", writers: "any" }, MYSQL_MAX_BLOB_BYTES);
    }
    default:
      throw new SentieroError(
        "STORAGE_UNSUPPORTED",
        `options.storage is db0 with the connector ${database.connector}; what works: ${CONNECTORS}`,
      );
  }
}

function createStore(
  database: SqlDatabase,
  about: Omit<StoreDescription, "durability"> & Partial<StoreDescription>,
  maxBlobBytes: number,
): SqlStore {
  return { ...createDatabaseStore(database, { durability: "database", ...about }), maxBlobBytes };
}

function promise(durability: "power" | "process"): StoreDescription["durability"] {
  return durability === "process" ? "process" : "database";
}
