import { join } from "node:path";
import type { Database } from "db0";
import betterSqlite from "db0/connectors/better-sqlite3";
import d1 from "db0/connectors/cloudflare-d1";
import libsql from "db0/connectors/libsql/node";
import mysql2 from "db0/connectors/mysql2";
import nodeSqlite from "db0/connectors/node-sqlite";
import pglite from "db0/connectors/pglite";
import postgresql from "db0/connectors/postgresql";
import { afterAll, beforeAll, describe, onTestFinished, test } from "vitest";
import { createSqlStore } from "../../src/storage/sql.ts";
import { splitBlobs, splitPut } from "../../src/storage/blob-parts.ts";
import type { Store } from "../../src/storage/store.ts";
import { storeContract } from "../../src/testing.ts";
import { bindD1, missing, mysqlServer, openPool, postgresServer, toDatabase } from "../support/databases.ts";
import "../support/runtime-packages.ts";
import { platform, temporaryFolder } from "../support/stores.ts";

const TABLES = ["sentiero_terms", "sentiero_documents", "sentiero_blobs", "sentiero_meta"];

/** With parts for what is too long for the database, as a storage is opened. */
function openStoreIn(database: Database): Store {
  const store = createSqlStore(database, { platform, durability: "power" });
  const max = store.maxBlobBytes;
  return {
    ...store,
    blobs: splitBlobs(store.blobs, max, platform),
    putWithBlobs: splitPut(store.putWithBlobs!, store.blobs, max, platform),
  };
}

/** A file of its own for each case. */
function contractOfFiles(name: string, open: (path: string) => Database): void {
  describe(`contract: ${name}`, () => {
    const openStore = async () => {
      const database = open(join(temporaryFolder(), "test.sqlite"));
      onTestFinished(() => database.dispose());
      return openStoreIn(database);
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
      const store = openStoreIn(opened.database);
      await store.documents.count("none", { max: 1 });
      isUsed = true;
      return store;
    };
    for (const { name, run } of storeContract(openStore)) test(name, run);
  });
}

contractOfFiles("node:sqlite", (path) => toDatabase(nodeSqlite({ path })));
contractOfFiles("better-sqlite3", (path) => toDatabase(betterSqlite({ path })));
contractOfFiles("libSQL", (path) => toDatabase(libsql({ url: `file:${path}` })));

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

contractOf("Cloudflare D1", async () => {
  const close = await bindD1("SENTIERO_D1");
  return { database: toDatabase(d1({ bindingName: "SENTIERO_D1" })), close };
});
