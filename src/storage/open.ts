import { createStorage, type Storage } from "unstorage";
import { SentieroError } from "../errors.ts";
import type { Platform } from "../platform.ts";
import { createMemoryStore } from "./memory.ts";
import { createSqliteStore } from "./sqlite.ts";
import type { SqliteClient } from "./sqlite-connection.ts";
import type { Store } from "./store.ts";

/**
 * Opens the store behind a storage, picked by its driver.
 * @throws SentieroError STORAGE_UNSUPPORTED naming the driver and what works.
 */
export function openStore(
  storage: Storage | undefined,
  options: { platform: Platform; maxMemoryBytes: number; warn: (message: string) => void },
): Store {
  if (!storage) {
    options.warn("[sentiero] no `storage` was given: recordings are kept in memory and gone at restart");
    return createMemoryStore(createStorage(), options.maxMemoryBytes);
  }
  const { driver } = storage.getMount("");
  switch (driver.name) {
    case "memory":
      return createMemoryStore(storage, options.maxMemoryBytes);
    case "db0": {
      const database = driver.getInstance?.() as { connector: string; getInstance(): unknown };
      if (database.connector !== "node-sqlite") throw unsupported(`db0 with the connector ${database.connector}`);
      return createSqliteStore(database.getInstance() as SqliteClient, options.platform);
    }
    default:
      throw unsupported(driver.name ?? "without a name");
  }
}

function unsupported(driver: string): SentieroError {
  return new SentieroError(
    "STORAGE_UNSUPPORTED",
    `options.storage has the driver ${driver}; what works: memory, and db0 over SQLite with the connector node-sqlite`,
  );
}
