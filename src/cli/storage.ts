import { mkdirSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { createDatabase } from "db0";
import nodeSqlite from "db0/connectors/node-sqlite";
import { createStorage, type Storage } from "unstorage";
import db0Driver from "unstorage/drivers/db0";
import { UsageError } from "./usage-error.ts";

/**
 * Opens what `--storage` names: `memory`, or `sqlite:FILE` (made with its folders when missing).
 * @throws UsageError when the text names nothing that works here.
 */
export async function openStorage(text: string): Promise<Storage> {
  if (text === "memory") return createStorage();
  const [, file] = /^sqlite:(.+)$/.exec(text) ?? [];
  if (!file) throw new UsageError(`--storage ${text} is not known: give memory or sqlite:FILE`);
  if (!process.getBuiltinModule?.("node:sqlite")) {
    throw new UsageError(
      `--storage ${text} needs node:sqlite, which comes with Node 22.13 and is not there in this Node ${process.versions.node}. ` +
        "Use a newer Node; libsql, which would run on this one, is not supported yet.",
    );
  }
  const path = resolve(file);
  try {
    mkdirSync(dirname(path), { recursive: true });
  } catch (error) {
    throw new UsageError(`--storage ${text} cannot be opened: ${(error as Error).message}`, { cause: error });
  }
  return createStorage({ driver: db0Driver({ database: createDatabase(nodeSqlite({ path })) }) });
}
