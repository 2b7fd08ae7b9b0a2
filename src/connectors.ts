import type { Connector } from "db0";
import mysqlConnector from "db0/connectors/mysql2";
import postgresqlConnector from "db0/connectors/postgresql";

/** Where a database server is, and how many connections to it may be open. */
export interface PoolOptions {
  /** As in `postgres://user:password@host:5432/database`; instead of the parts below. */
  readonly url?: string;
  readonly host?: string;
  readonly port?: number;
  readonly user?: string;
  readonly password?: string;
  readonly database?: string;
  /** Options of TLS as the client takes them; of PostgreSQL also `true`. */
  readonly ssl?: boolean | object;
  /**
   * Most connections of this process. Those of all processes together must stay below what the server allows.
   * @default 10
   */
  readonly maxConnections?: number;
  /**
   * How long a connection may take to come about; with PostgreSQL also, how long it may take to become free.
   * @default 5_000
   */
  readonly connectTimeoutMs?: number;
  /**
   * An idle connection is closed after this long.
   * @default 60_000
   */
  readonly idleTimeoutMs?: number;
}

/** A statement without an answer after this long takes its connection with it. */
const QUERY_TIMEOUT_MS = 30_000;

/** So many may wait for a connection to MySQL; the next one is refused at once. */
const MAX_WAITING = 1_000;

/**
 * A connector for db0 with a pool of connections to PostgreSQL, by the package `pg`. Connections that are lost are
 * replaced; db0's own connector has one connection, and does not open it again.
 *
 * ```ts
 * import { createDatabase } from "db0";
 * import { postgresPool } from "sentiero/connectors";
 * import { createStorage } from "unstorage";
 * import db0Driver from "unstorage/drivers/db0";
 *
 * const database = createDatabase(postgresPool({ url: "postgres://localhost/sentiero" }));
 * const storage = createStorage({ driver: db0Driver({ database }) });
 * ```
 *
 * @throws Error at the first use, saying what to install, when `pg` is not there.
 */
export function postgresPool(options: PoolOptions): Connector {
  const { url, maxConnections = 10, connectTimeoutMs = 5_000, idleTimeoutMs = 60_000, ...address } = options;
  const config = {
    ...address,
    ...(url !== undefined && { connectionString: url }),
    max: maxConnections,
    connectionTimeoutMillis: connectTimeoutMs,
    idleTimeoutMillis: idleTimeoutMs,
    query_timeout: QUERY_TIMEOUT_MS,
    keepAlive: true,
  };
  // db0's connector makes one client, connects it, asks it and ends it. Here that client is the whole pool.
  const connector = (postgresqlConnector as unknown as MakeConnector<ClientOfPool>)({
    async lib() {
      const pg = (await import("pg").catch(missing("postgresPool", "pg"))) as unknown as Pg & { default?: Pg };
      const pool = new (pg.default ?? pg).Pool(config);
      pool.on("error", () => {});
      const client: ClientOfPool = {
        pool,
        connect: async () => {},
        query: (text, values) => pool.query(text, values),
        end: () => pool.end(),
      };
      return {
        Client: function Client() {
          return client;
        },
      };
    },
  });
  return {
    ...connector,
    name: "postgresql-pool",
    getInstance: async () => (await connector.getInstance()).pool,
  };
}

/**
 * A connector for db0 with a pool of connections to MySQL or MariaDB, by the package `mysql2`. Connections that are lost
 * are replaced; db0's own connector has one connection, and does not open it again. Used as `postgresPool`.
 *
 * @throws Error at the first use, saying what to install, when `mysql2` is not there.
 */
export function mysqlPool(options: PoolOptions): Connector {
  const { url, maxConnections = 10, connectTimeoutMs = 5_000, idleTimeoutMs = 60_000, ...address } = options;
  const config = {
    ...address,
    ...(url !== undefined && { uri: url }),
    connectionLimit: maxConnections,
    maxIdle: maxConnections,
    connectTimeout: connectTimeoutMs,
    idleTimeout: idleTimeoutMs,
    queueLimit: MAX_WAITING,
    enableKeepAlive: true,
  };
  const connector = (mysqlConnector as unknown as MakeConnector<unknown>)({
    async lib() {
      const mysql = (await import("mysql2/promise").catch(missing("mysqlPool", "mysql2"))) as unknown as Mysql;
      return { createConnection: async () => mysql.createPool(config) };
    },
  });
  return { ...connector, name: "mysql-pool" };
}

/** A connector of db0, given its library instead of importing it. */
type MakeConnector<T> = (options: { lib: () => Promise<unknown> }) => Connector<T>;

interface Pg {
  readonly Pool: new (config: object) => PgPool;
}

interface PgPool {
  query(text: string, values?: unknown[]): Promise<unknown>;
  end(): Promise<void>;
  on(event: "error", listener: () => void): unknown;
}

interface ClientOfPool {
  readonly pool: PgPool;
  connect(): Promise<void>;
  query(text: string, values?: unknown[]): Promise<unknown>;
  end(): Promise<void>;
}

interface Mysql {
  createPool(config: object): unknown;
}

function missing(name: string, library: string): (cause: unknown) => never {
  return (cause) => {
    throw new Error(`[sentiero] ${name}() needs the package ${library}: npm install ${library}`, { cause });
  };
}
