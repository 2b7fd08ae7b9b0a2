import { createDatabase } from "db0";
import nodeSqlite from "db0/connectors/node-sqlite";
import { createStorage, type Storage } from "unstorage";
import db0Driver from "unstorage/drivers/db0";
import redisDriver from "unstorage/drivers/redis";
import { mysqlPool, postgresPool } from "../../src/connectors.ts";

/**
 * Opens one of `sqlite:FILE`, `postgres://…`, `mysql://…` and `redis://…#PREFIX`.
 * @throws Error when it is none of them.
 */
export function openTestStorage(text: string): Storage {
  const [, scheme, rest = ""] = /^(\w+):(.+)$/.exec(text) ?? [];
  switch (scheme) {
    case "sqlite":
      return createStorage({ driver: db0Driver({ database: createDatabase(nodeSqlite({ path: rest })) }) });
    case "postgres":
      return createStorage({ driver: db0Driver({ database: createDatabase(postgresPool({ url: text })) }) });
    case "mysql":
      return createStorage({ driver: db0Driver({ database: createDatabase(mysqlPool({ url: text })) }) });
    case "redis": {
      const [url, base] = text.split("#", 2);
      return createStorage({ driver: redisDriver({ url, base }) });
    }
    default:
      throw new Error(`no storage is called ${text}`);
  }
}
