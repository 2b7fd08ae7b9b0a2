import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { missing, mysqlServer, postgresServer, type TestServer } from "../support/databases.ts";
import { hasRedis, REDIS_URL } from "../support/redis.ts";

/** The long forms: `npm run soak`. */
export const IS_SOAK: boolean = process.env.SENTIERO_SOAK === "1";

/** A database that several processes may write at once. */
export interface Backend {
  readonly name: "SQLite" | "PostgreSQL" | "MariaDB" | "Redis";
  readonly isThere: boolean;
  /** For titles: what to do where it is not there, else empty. */
  readonly missing: string;
  /** Makes an empty store. */
  create(): Promise<TestStore>;
}

/** A place of a store that belongs to one test. */
export interface TestStore {
  /** As `store-process.ts` takes it. */
  readonly storage: string;
  remove(): Promise<void>;
}

const isRedisThere = await hasRedis();

/** The four, whether they are there or not. */
export const backends: readonly Backend[] = [
  { name: "SQLite", isThere: true, missing: "", create: createSqlite },
  createBackend("PostgreSQL", postgresServer, "POSTGRES"),
  createBackend("MariaDB", mysqlServer, "MYSQL"),
  {
    name: "Redis",
    isThere: isRedisThere,
    missing: isRedisThere ? "" : " (no server found: start one on its default port or set SENTIERO_TEST_REDIS_URL)",
    create: createRedis,
  },
];

async function createSqlite(): Promise<TestStore> {
  const folder = mkdtempSync(join(tmpdir(), "sentiero-faults-"));
  return {
    storage: `sqlite:${join(folder, "faults.db")}`,
    remove: async () => rmSync(folder, { recursive: true, force: true }),
  };
}

function createBackend(name: Backend["name"], server: TestServer | null, variable: string): Backend {
  return {
    name,
    isThere: server !== null,
    missing: missing(server, variable),
    async create() {
      const storage = await server!.createDatabase();
      return { storage, remove: () => server!.dropDatabase(storage) };
    },
  };
}

async function createRedis(): Promise<TestStore> {
  const prefix = `sentiero-faults-${randomUUID()}`;
  return {
    storage: `${REDIS_URL}#${prefix}`,
    async remove() {
      const client = new Redis(REDIS_URL);
      for await (const keys of client.scanStream({ match: `${prefix}*`, count: 10_000 })) {
        if ((keys as string[]).length > 0) await client.unlink(...(keys as string[]));
      }
      client.disconnect();
    },
  };
}
