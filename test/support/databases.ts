import { randomBytes } from "node:crypto";
import { type Connector, createDatabase, type Database } from "db0";
import mysql, { type Connection as MysqlAdmin } from "mysql2/promise";
import pg from "pg";
import { createStorage } from "unstorage";
import db0Driver from "unstorage/drivers/db0";
import { mysqlPool, postgresPool } from "../../src/connectors.ts";
import { openStore } from "../../src/storage/open.ts";
import type { Store } from "../../src/storage/store.ts";
import { platform } from "./stores.ts";

/** A database server that tests found. */
export interface TestServer {
  readonly url: string;
  /** Creates an empty database and gives its URL. */
  createDatabase(): Promise<string>;
  /** Drops one, with whoever is connected to it. */
  dropDatabase(url: string): Promise<void>;
  /** Ends every connection to a database, as a restart of the server does. */
  disconnect(url: string): Promise<void>;
}

/** The PostgreSQL server of `SENTIERO_TEST_POSTGRES_URL` or on its default port, or null. */
export const postgresServer: TestServer | null = await findPostgres(
  process.env.SENTIERO_TEST_POSTGRES_URL ?? "postgres://postgres@127.0.0.1:5432/postgres",
);

/** The MySQL or MariaDB server of `SENTIERO_TEST_MYSQL_URL` or on its default port, or null. */
export const mysqlServer: TestServer | null = await findMysql(
  process.env.SENTIERO_TEST_MYSQL_URL ?? "mysql://root@127.0.0.1:3306/mysql",
);

/** For the title of what is skipped. */
export function missing(server: TestServer | null, name: string): string {
  return server ? "" : ` (no server found: start one on its default port or set SENTIERO_TEST_${name}_URL)`;
}

async function findPostgres(url: string): Promise<TestServer | null> {
  const ask = async (text: string, values?: unknown[]) => {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
    await client.connect();
    try {
      await client.query(text, values);
    } finally {
      await client.end();
    }
  };
  try {
    await ask("SELECT 1");
  } catch {
    return null;
  }
  return {
    url,
    async createDatabase() {
      const name = newName();
      await ask(`CREATE DATABASE ${name} TEMPLATE template0 ENCODING 'UTF8'`);
      return withDatabase(url, name);
    },
    dropDatabase: (made) => ask(`DROP DATABASE IF EXISTS ${nameOf(made)} WITH (FORCE)`),
    disconnect: (made) =>
      ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", [nameOf(made)]),
  };
}

async function findMysql(url: string): Promise<TestServer | null> {
  const ask = async <T>(task: (connection: MysqlAdmin) => Promise<T>) => {
    const connection = await mysql.createConnection({ uri: url, connectTimeout: 2_000 });
    try {
      return await task(connection);
    } finally {
      await connection.end();
    }
  };
  const disconnect = (made: string) =>
    ask(async (connection) => {
      const [rows] = await connection.query("SELECT id FROM information_schema.processlist WHERE db = ?", [
        nameOf(made),
      ]);
      // One that is gone already needs no killing.
      for (const { id } of rows as { id: number }[]) await connection.query(`KILL ${id}`).catch(() => {});
    });
  try {
    await ask((connection) => connection.query("SELECT 1"));
  } catch {
    return null;
  }
  return {
    url,
    async createDatabase() {
      const name = newName();
      await ask((connection) => connection.query(`CREATE DATABASE ${name}`));
      return withDatabase(url, name);
    },
    async dropDatabase(made) {
      // A statement that is still running would hold the database.
      await disconnect(made);
      await ask((connection) => connection.query(`DROP DATABASE IF EXISTS ${nameOf(made)}`));
    },
    disconnect,
  };
}

function newName(): string {
  return `sentiero_test_${randomBytes(6).toString("hex")}`;
}

function withDatabase(url: string, name: string): string {
  const made = new URL(url);
  made.pathname = `/${name}`;
  return made.href;
}

function nameOf(url: string): string {
  return new URL(url).pathname.slice(1);
}

/** A db0 database over a connector whose options may be of a package that is not installed here. */
export function toDatabase(connector: Connector<never> | Connector): Database {
  return createDatabase(connector as Connector) as Database;
}

/** A db0 database over a pool, of either server. */
export function openPool(url: string, maxConnections = 5): Database {
  const isPostgres = url.startsWith("postgres");
  return toDatabase((isPostgres ? postgresPool : mysqlPool)({ url, maxConnections }));
}

/** The store in a database, opened as a storage with db0's driver is. */
export function openSqlStore(database: Database, durability: "power" | "process" = "power"): Store {
  const storage = createStorage({ driver: db0Driver({ database }) });
  return openStore(storage, { platform, maxMemoryBytes: 1, durability, warn: () => {} });
}
