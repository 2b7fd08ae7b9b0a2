import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Database } from "db0";
import betterSqlite from "db0/connectors/better-sqlite3";
import libsql from "db0/connectors/libsql/node";
import mysql2 from "db0/connectors/mysql2";
import nodeSqlite from "db0/connectors/node-sqlite";
import pglite from "db0/connectors/pglite";
import postgresql from "db0/connectors/postgresql";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { storeContract } from "../../src/testing.ts";
import { missing, mysqlServer, openPool, openSqlStore, postgresServer, toDatabase } from "../support/databases.ts";
import { importRuntimePackage, runtimeProgram } from "../support/runtime-packages.ts";
import { temporaryFolder } from "../support/stores.ts";

const TABLES = ["sentiero_terms", "sentiero_documents", "sentiero_blobs", "sentiero_meta"];

/** All cases together, on a machine that is busy with other tests. */
const ELSEWHERE_TIMEOUT_MS = 240_000;

/** A file of its own for each case. */
function contractOfFiles(name: string, open: (path: string) => Database): void {
  describe(`contract: ${name}`, () => {
    const openStore = async () => {
      const database = open(join(temporaryFolder(), "test.sqlite"));
      onTestFinished(() => database.dispose());
      return openSqlStore(database);
    };
    for (const { name, run } of storeContract(openStore)) test(name, run);
  });
}

/** One database for all cases, which is emptied before each: making one takes longer than a case. */
function contractOf(
  name: string,
  open: () => Promise<{ database: Database; close?: () => Promise<unknown> }>,
  skipped = "",
): void {
  describe.skipIf(skipped !== "")(`contract: ${name}${skipped}`, () => {
    let opened: Awaited<ReturnType<typeof open>>;
    let isUsed = false;
    beforeAll(async () => {
      opened = await open();
    });
    afterAll(async () => {
      await opened.database.dispose();
      await opened.close?.();
    });
    const openStore = async () => {
      if (isUsed) for (const table of TABLES) await opened.database.exec(`DELETE FROM ${table}`);
      const store = openSqlStore(opened.database);
      await store.documents.count("none", { max: 1 });
      isUsed = true;
      return store;
    };
    for (const { name, run } of storeContract(openStore)) test(name, run);
  });
}

/** In another runtime, which runs all cases and tells of each in a line of JSON. */
function contractElsewhere(name: string, runAll: () => Promise<string>): void {
  describe(`contract: ${name}`, () => {
    const results = new Map<string, string | null>();
    beforeAll(async () => {
      for (const line of (await runAll()).trim().split("\n")) {
        const { name, error } = JSON.parse(line) as { name: string; error: string | null };
        results.set(name, error);
      }
    }, ELSEWHERE_TIMEOUT_MS);
    const names = storeContract(() => Promise.reject(new Error("the cases run elsewhere"))).map(({ name }) => name);
    for (const name of names) test(name, () => expect(results.get(name)).toBeNull());
  });
}

contractOfFiles("SQLite by node:sqlite", (path) => toDatabase(nodeSqlite({ path })));
contractOfFiles("SQLite by better-sqlite3", (path) => toDatabase(betterSqlite({ path })));
contractOfFiles("libSQL", (path) => toDatabase(libsql({ url: `file:${path}` })));

contractElsewhere("SQLite by bun:sqlite", async () => {
  const script = fileURLToPath(new URL("../runtimes/contract-bun.ts", import.meta.url));
  const folder = mkdtempSync(join(tmpdir(), "sentiero-test-"));
  try {
    return (await promisify(execFile)(runtimeProgram("bun"), [script, folder])).stdout;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

contractElsewhere("Cloudflare D1", async () => {
  const { Miniflare } = await importRuntimePackage<{ Miniflare: new (options: object) => Miniflare }>("miniflare");
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL("../runtimes/contract-d1.ts", import.meta.url))],
    bundle: true,
    write: false,
    format: "esm",
    conditions: ["workerd", "worker"],
    external: ["cloudflare:workers", "node:*"],
  });
  const worker = new Miniflare({
    modules: [{ type: "ESModule", path: "worker.js", contents: outputFiles[0]!.text }],
    compatibilityDate: "2026-07-01",
    d1Databases: ["DB"],
  });
  try {
    return await (await worker.dispatchFetch("http://localhost/")).text();
  } finally {
    await worker.dispose();
  }
});

interface Miniflare {
  dispatchFetch(url: string): Promise<Response>;
  dispose(): Promise<void>;
}

contractOf(
  "PostgreSQL",
  async () => {
    const url = await postgresServer!.createDatabase();
    return { database: openPool(url), close: () => postgresServer!.dropDatabase(url) };
  },
  missing(postgresServer, "POSTGRES"),
);

contractOf(
  "PostgreSQL, one connection",
  async () => {
    const url = await postgresServer!.createDatabase();
    return { database: toDatabase(postgresql({ url })), close: () => postgresServer!.dropDatabase(url) };
  },
  missing(postgresServer, "POSTGRES"),
);

contractOf("PGlite", async () => ({ database: toDatabase(pglite()) }));

contractOf(
  "MariaDB",
  async () => {
    const url = await mysqlServer!.createDatabase();
    return { database: openPool(url), close: () => mysqlServer!.dropDatabase(url) };
  },
  missing(mysqlServer, "MYSQL"),
);

contractOf(
  "MariaDB, one connection",
  async () => {
    const url = await mysqlServer!.createDatabase();
    return { database: toDatabase(mysql2({ uri: url })), close: () => mysqlServer!.dropDatabase(url) };
  },
  missing(mysqlServer, "MYSQL"),
);
