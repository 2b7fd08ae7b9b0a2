import { existsSync, openSync, readFileSync, statSync, writeSync, closeSync } from "node:fs";
import { join } from "node:path";
import type { Connector, Database } from "db0";
import betterSqlite from "db0/connectors/better-sqlite3";
import libsql from "db0/connectors/libsql/node";
import nodeSqlite from "db0/connectors/node-sqlite";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { runSqlite } from "../../adapters/node-sqlite.ts";
import { createSqlStore } from "../../src/storage/sql.ts";
import { decodeText, encodeText } from "../../src/storage/text.ts";
import type { SqliteClient } from "../../src/storage/sqlite-connection.ts";
import type { Store } from "../../src/storage/store.ts";
import { createUpdater } from "../../src/storage/update.ts";
import { openSqlStore, toDatabase } from "../support/databases.ts";
import "../support/runtime-packages.ts";
import { platform, temporaryFolder } from "../support/stores.ts";
import { countTurns } from "../support/turns.ts";

const ITEMS = "main/items";
const PUT = { score: 1, expectedVersion: 0 } as const;

const CLIENTS: readonly { name: string; open: (path: string) => Connector<never> | Connector }[] = [
  { name: "node:sqlite", open: (path) => nodeSqlite({ path }) },
  { name: "better-sqlite3", open: (path) => betterSqlite({ path }) },
  { name: "libSQL", open: (path) => libsql({ url: `file:${path}` }) },
];

for (const { name, open } of CLIENTS) {
  describe(`a file by ${name}`, () => {
    const openFile = (path = join(temporaryFolder(), "test.sqlite")) => {
      const database = keep(toDatabase(open(path)));
      return { path, database, store: openSqlStore(database) };
    };

    test("is set up by several connections at once, and keeps what all of them write", async () => {
      const { path, store } = openFile();
      const stores = [store, ...Array.from({ length: 3 }, () => openFile(path).store)];
      const writes = Array.from({ length: 40 }, (_, index) =>
        stores[index % stores.length]!.documents.put(ITEMS, `id-${index}`, {}, PUT),
      );
      expect(await Promise.all(writes)).not.toContain(false);
      expect(await store.documents.count(ITEMS, { max: 99 })).toBe(40);
      const increment = { apply: (doc: { n: number } | null) => ({ n: (doc?.n ?? 0) + 1 }) };
      const updaters = stores.map(({ documents, putWithBlobs }) => createUpdater(documents, putWithBlobs));
      const changes = Array.from({ length: 80 }, (_, index) =>
        updaters[index % updaters.length]!.update(ITEMS, "counter", increment, () => 1),
      );
      await Promise.all(changes);
      expect(await store.documents.get(ITEMS, "counter")).toMatchObject({ doc: { n: 80 } });
    });

    test("refuses a write that fails, and keeps those that came with it", async () => {
      const { store } = openFile();
      // What can't be bound fails in the middle of the transaction of all four.
      const outcomes = await Promise.allSettled([
        store.blobs.create("b:main:before", Uint8Array.of(1)),
        store.blobs.create("b:main:wrong", Symbol("no bytes") as unknown as Uint8Array),
        store.documents.put(ITEMS, "a", { n: 1 }, PUT),
        store.blobs.create("b:main:after", Uint8Array.of(2)),
      ]);
      expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled", "fulfilled"]);
      expect((await store.blobs.list("b:main:", null)).keys).toEqual(["b:main:after", "b:main:before"]);
      expect(await store.documents.get(ITEMS, "a")).toMatchObject({ doc: { n: 1 }, version: 1 });
    });

    test("of a newer schema is read and left as it is", async () => {
      const { path, database, store } = openFile();
      await store.documents.put(ITEMS, "a", { n: 1 }, PUT);
      await store.schemaVersion(1);
      await database.exec("UPDATE sentiero_meta SET value = '999' WHERE name = 'schema'");
      // A newer version may have replaced an index.
      await database.exec("DROP INDEX sentiero_terms_by_id");
      const older = openFile(path);
      expect(await older.store.schemaVersion(1)).toBe(999);
      expect(await older.store.documents.get(ITEMS, "a")).toMatchObject({ doc: { n: 1 } });
      const indexes = "SELECT name FROM sqlite_master WHERE name = 'sentiero_terms_by_id'";
      expect(await older.database.prepare(indexes).all()).toEqual([]);
    });

    test("holds nothing of a person after a scrub: not in free pages, between rows, or in the log", async () => {
      const { path, store } = openFile();
      await fill(store);
      expect(countCanaries(path)).toBeGreaterThan(1000);
      await forget(store);
      await store.scrub!();
      expect(countCanaries(path)).toBe(0);
      expect(await store.documents.count(ITEMS, { max: 9999 })).toBe(ROWS - PERSONS.length);
      expect((await store.blobs.get(`b:main:other-1:x`))?.length).toBeGreaterThan(0);
    });
  });
}

describe("a SQLite file", () => {
  test("is scrubbed in a thread, and the event loop goes on", async () => {
    const path = join(temporaryFolder(), "test.sqlite");
    const database = keep(toDatabase(nodeSqlite({ path })));
    const statements: string[] = [];
    const store = createSqlStore(database, {
      durability: "power",
      platform: {
        ...platform,
        runSqlite: (file, sql) => {
          statements.push(sql);
          return runSqlite(file, sql);
        },
      },
    });
    await fill(store);
    await forget(store);
    const turns = countTurns();
    await store.scrub!();
    expect(turns()).toBeGreaterThan(20);
    expect(statements).toEqual(["VACUUM"]);
    expect(countCanaries(path)).toBe(0);
    // Statements that were prepared before go on.
    expect(await store.documents.put(ITEMS, "later", {}, PUT)).toBe(true);
  });

  test("is written anew once for all who ask at once, and again for who asks meanwhile", async () => {
    const database = keep(toDatabase(nodeSqlite({ path: join(temporaryFolder(), "test.sqlite") })));
    const ended: (() => void)[] = [];
    const runLater = () => new Promise<void>((resolve) => void ended.push(resolve));
    const store = createSqlStore(database, { durability: "power", platform: { ...platform, runSqlite: runLater } });
    const first = [store.scrub!(), store.scrub!(), store.scrub!()];
    await expect.poll(() => ended.length).toBe(1);
    const second = [store.scrub!(), store.scrub!()];
    ended[0]!();
    await Promise.all(first);
    await expect.poll(() => ended.length).toBe(2);
    ended[1]!();
    await Promise.all(second);
    expect(ended).toHaveLength(2);
  });

  test("says 503 when the thread finds it busy, and keeps the rest", async () => {
    const path = join(temporaryFolder(), "test.sqlite");
    const database = keep(toDatabase(nodeSqlite({ path })));
    const runBusy = () => Promise.reject(new Error("database is locked"));
    const store = createSqlStore(database, { durability: "power", platform: { ...platform, runSqlite: runBusy } });
    await store.documents.put(ITEMS, "a", {}, PUT);
    await expect(store.scrub!()).rejects.toMatchObject({ status: 503, headers: { "retry-after": "2" } });
    expect(await store.documents.get(ITEMS, "a")).not.toBeNull();
  });

  test("says 503 when the disk is full, in a thread too", async () => {
    const path = join(temporaryFolder(), "test.sqlite");
    const database = keep(toDatabase(nodeSqlite({ path })));
    const runFull = () => Promise.reject(new Error("database or disk is full"));
    const store = createSqlStore(database, { durability: "power", platform: { ...platform, runSqlite: runFull } });
    await expect(store.scrub!()).rejects.toMatchObject({ status: 503, message: "the database is not available" });
  });

  test("is scrubbed without a thread where there can be none, and that is said", async () => {
    const path = join(temporaryFolder(), "test.sqlite");
    const database = keep(toDatabase(nodeSqlite({ path })));
    const runNowhere = () => Promise.reject(new Error("Access to this API has been restricted"));
    const warnings: string[] = [];
    const store = createSqlStore(database, {
      durability: "power",
      platform: { ...platform, runSqlite: runNowhere },
      warn: (message) => warnings.push(message),
    });
    await fill(store);
    await forget(store);
    await store.scrub!();
    expect(countCanaries(path)).toBe(0);
    expect(warnings).toEqual([expect.stringContaining("restricted")]);
  });

  test("of another library than the thread's never meets it: two in one process undo each other's locks", async () => {
    const database = keep(toDatabase(betterSqlite({ path: join(temporaryFolder(), "test.sqlite") })));
    const runWrong = () => Promise.reject(new Error("the thread was used"));
    const warnings: string[] = [];
    const store = createSqlStore(database, {
      durability: "power",
      platform: { ...platform, runSqlite: runWrong },
      warn: (message) => warnings.push(message),
    });
    await store.documents.put(ITEMS, "a", {}, PUT);
    await store.scrub!();
    expect(warnings).toEqual([]);
  });

  test("is asked by a thread that tells what SQLite says, and why it ended early", async () => {
    const path = join(temporaryFolder(), "test.sqlite");
    await expect(runSqlite(path, "VACUUM INTO nowhere.at.all")).rejects.toThrow(/syntax error/);
    await expect(runSqlite(join(path, "no", "folder"), "VACUUM")).rejects.toThrow(/unable to open/);
    await runSqlite(path, "CREATE TABLE t (a)");
    expect(existsSync(path)).toBe(true);
  });

  test("waits for the disk once a transaction with the durability of power, and not with that of the process", async () => {
    for (const [durability, synchronous] of [
      ["power", 2],
      ["process", 1],
    ] as const) {
      const database = keep(toDatabase(nodeSqlite({ path: join(temporaryFolder(), "test.sqlite") })));
      const store = openSqlStore(database, durability);
      expect(store.about.durability).toBe(durability);
      await store.documents.put(ITEMS, "a", {}, PUT);
      const client = database.getInstance() as unknown as SqliteClient;
      expect(client.prepare("PRAGMA synchronous").get()).toEqual({ synchronous });
    }
  });

  test("that is damaged is found", async () => {
    const path = join(temporaryFolder(), "test.sqlite");
    const first = toDatabase(nodeSqlite({ path }));
    const store = openSqlStore(first);
    for (let index = 0; index < 400; index++) await store.documents.put(ITEMS, `id-${index}`, { index }, PUT);
    expect(await store.check()).toEqual([]);
    await first.dispose();
    const file = openSync(path, "r+");
    const middle = Math.floor(statSync(path).size / 2 / 4096) * 4096;
    writeSync(file, Buffer.alloc(4096, 0x55), 0, 4096, middle);
    closeSync(file);
    const damaged = openSqlStore(keep(toDatabase(nodeSqlite({ path }))));
    expect(await damaged.check()).toEqual([
      expect.objectContaining({ level: "error", what: expect.stringContaining("damaged") }),
    ]);
  });
});

describe("ids and terms", () => {
  const TEXTS = ["a\u0000b", "a\u0000", "\ud800", "\udc00", "\ud800x", "\u{feff}", "\u2410", "\u24100000", "a ", "a"];

  for (const { name, open } of CLIENTS) {
    test(`that no database takes as they are survive in ${name}`, async () => {
      const { documents } = openSqlStore(keep(toDatabase(open(join(temporaryFolder(), "test.sqlite")))));
      for (const id of TEXTS) expect(await documents.put(ITEMS, id, { id }, { ...PUT, terms: [id] })).toBe(true);
      for (const id of TEXTS) {
        expect(await documents.get(ITEMS, id)).toEqual({ id, doc: { id }, version: 1, score: 1 });
        const page = await documents.page(ITEMS, { term: id, limit: 9, order: "ascending" });
        expect(page.items.map((item) => item.id)).toEqual([id]);
      }
      const many = await documents.getMany(ITEMS, TEXTS);
      expect(many.map((one) => one?.id)).toEqual(TEXTS);
    });
  }

  test("are kept as well-formed text without NUL, each as another", () => {
    const text = fc.string({ unit: "binary" }).chain((whole) =>
      // Halves of surrogate pairs, which are in no whole text.
      fc.constantFrom("", "\ud800", "\udfff", "\u0000", "\u2410").map((odd) => whole + odd + whole),
    );
    fc.assert(
      fc.property(text, (value) => {
        const kept = encodeText(value);
        expect(kept.includes("\u0000")).toBe(false);
        expect(new TextDecoder().decode(new TextEncoder().encode(kept))).toBe(kept);
        expect(decodeText(kept)).toBe(value);
      }),
    );
  });
});

describe("a connector that does not work", () => {
  for (const connector of ["sqlite3", "planetscale", "my-own"]) {
    test(`is named with what works: ${connector}`, () => {
      const open = () => createSqlStore({ connector, getInstance: () => null }, { platform, durability: "power" });
      expect(open).toThrow(expect.objectContaining({ code: "STORAGE_UNSUPPORTED" }));
      expect(open).toThrow(new RegExp(`${connector}; what works: .*better-sqlite3.*postgresPool`));
    });
  }
});

function keep(database: Database): Database {
  onTestFinished(() => database.dispose());
  return database;
}

const CANARY = "CANARYxPERSON7";
const ROWS = 1500;
const SIZES = [10, 100, 500, 1000, 2000, 3500, 4000, 4100, 5000, 20_000];
/** Every third row is the person's, among rows of others that stay. */
const PERSONS = Array.from({ length: ROWS }, (_, index) => index).filter((index) => index % 3 === 0);
const idOf = (index: number) =>
  index % 3 === 0 ? `${(index * 7919) % 997}-${CANARY}-${index}` : `${(index * 7919) % 997}-other-${index}`;
const nameOf = (index: number) => (index % 3 === 0 ? `${CANARY}-${index}` : `other-${index}`);

/** Documents that grow and shrink, and blobs of all sizes, in no order, so that rows move between pages. */
async function fill(store: Store): Promise<void> {
  const textOf = (index: number, length: number) =>
    index % 3 === 0 ? `${CANARY}-`.repeat(Math.ceil(length / 15)) : "z".repeat(length);
  const put = async (index: number) => {
    const size = SIZES[(index * 31) % SIZES.length]!;
    const bytes = new TextEncoder().encode(textOf(index, index % 500 === 0 ? 5_000_000 : size));
    const options = { score: index, terms: [nameOf(index)], expectedVersion: 0 };
    const blobs = new Map([[`b:main:${nameOf(index)}:x`, bytes]]);
    await store.putWithBlobs!(ITEMS, idOf(index), { text: textOf(index, size) }, options, blobs);
    for (let version = 1; version < 1 + (index % 4); version++) {
      const text = textOf(index, SIZES[(index * 17 + version) % SIZES.length]!);
      await store.documents.put(
        ITEMS,
        idOf(index),
        { text },
        { score: index + version * 100, expectedVersion: version },
      );
    }
  };
  for (let start = 0; start < ROWS; start += 50) {
    await Promise.all(Array.from({ length: 50 }, (_, index) => put(start + index)));
  }
}

async function forget(store: Store): Promise<void> {
  for (let start = 0; start < PERSONS.length; start += 50) {
    await Promise.all(
      PERSONS.slice(start, start + 50).flatMap((index) => [
        store.documents.remove(ITEMS, idOf(index)),
        store.blobs.removeAll(`b:main:${nameOf(index)}:`),
      ]),
    );
  }
}

/** How often the person is in the raw bytes of a file and what lies beside it. */
function countCanaries(path: string): number {
  let count = 0;
  for (const file of [path, `${path}-wal`, `${path}-shm`, `${path}-journal`]) {
    if (!existsSync(file)) continue;
    const bytes = readFileSync(file);
    for (let at = bytes.indexOf("CANARY"); at >= 0; at = bytes.indexOf("CANARY", at + 1)) count++;
  }
  return count;
}
