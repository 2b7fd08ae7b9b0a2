import { join } from "node:path";
import { fork } from "node:child_process";
import { DatabaseSync } from "node:sqlite";
import { countTurns } from "../support/turns.ts";
import { describe, expect, test } from "vitest";
import { openStorage } from "../../src/cli/storage.ts";
import { storeContract } from "../../src/testing.ts";
import { openStore } from "../../src/storage/open.ts";
import { guardSchema } from "../../src/storage/schema.ts";
import { openMemoryStore, openSqliteStore, platform, temporaryFolder } from "../support/stores.ts";

const PUT = { score: 1, expectedVersion: 0 } as const;

describe("memory", () => {
  for (const { name, run } of storeContract(async () => openMemoryStore().store)) test(name, run);
});

describe("SQLite", () => {
  for (const { name, run } of storeContract(async () => (await openSqliteStore()).store)) test(name, run);
});

describe("the SQLite file", () => {
  test("is in WAL mode, syncs fully before it answers, overwrites what is deleted, and never waits by itself", async () => {
    const { store, client } = await openSqliteStore();
    await store.documents.get("main/items", "a");
    expect(client.prepare("PRAGMA journal_mode").get()).toEqual({ journal_mode: "wal" });
    expect(client.prepare("PRAGMA synchronous").get()).toEqual({ synchronous: 2 });
    expect(client.prepare("PRAGMA secure_delete").get()).toEqual({ secure_delete: 1 });
    expect(client.prepare("PRAGMA busy_timeout").get()).toEqual({ timeout: 0 });
  });

  test("keeps what two connections write at once", async () => {
    const first = await openSqliteStore();
    const second = await openSqliteStore(first.file);
    const writers = [first.store, second.store];
    await Promise.all(
      Array.from({ length: 200 }, (_, index) =>
        writers[index % 2]!.documents.put("main/items", `id-${index}`, { index }, PUT),
      ),
    );
    expect(await first.store.documents.count("main/items", { max: 1000 })).toBe(200);
    const won = await Promise.all(writers.map(({ documents }) => documents.put("main/items", "one", {}, PUT)));
    expect(won.filter(Boolean)).toHaveLength(1);
  });

  test("waits for another connection's transaction without blocking the event loop", async () => {
    const { store, file } = await openSqliteStore();
    await store.documents.put("main/items", "a", {}, PUT);
    const other = new DatabaseSync(file);
    other.exec("BEGIN IMMEDIATE");
    const turns = countTurns();
    let isWritten = false;
    const written = store.documents.put("main/items", "b", {}, PUT).then((won) => (isWritten = won));
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(isWritten).toBe(false);
    // Reading goes on meanwhile.
    expect(await store.documents.get("main/items", "a")).not.toBeNull();
    other.exec("COMMIT");
    other.close();
    expect(await written).toBe(true);
    expect(turns()).toBeGreaterThan(20);
  });

  test("answers 503 with Retry-After when it stays busy for five seconds", { timeout: 15_000 }, async () => {
    const { store, file } = await openSqliteStore();
    await store.documents.put("main/items", "a", {}, PUT);
    const other = new DatabaseSync(file);
    other.exec("BEGIN IMMEDIATE");
    const error = await store.documents.put("main/items", "b", {}, PUT).catch((reason: unknown) => reason);
    other.exec("ROLLBACK");
    other.close();
    expect(error).toMatchObject({ status: 503, headers: { "retry-after": expect.stringMatching(/^\d+$/) } });
    expect(await store.documents.put("main/items", "b", {}, PUT)).toBe(true);
  });

  test("is made by two processes at once", async () => {
    const file = join(temporaryFolder(), "shared.sqlite");
    const answers = await Promise.all([runWriter(file, "x"), runWriter(file, "y")]);
    expect(answers).toEqual(["wrote 40", "wrote 40"]);
    const { store } = await openSqliteStore(file);
    expect(await store.documents.count("main/items", { max: 1000 })).toBe(80);
  });

  test("of a newer schema is read, and refused to writers with what to do", async () => {
    const { store, client, file } = await openSqliteStore();
    await store.documents.put("main/items", "a", {}, PUT);
    expect(await store.schemaVersion(1)).toBe(1);
    client.exec("UPDATE sentiero_meta SET value = '999' WHERE name = 'schema'");
    const older = { store: guardSchema((await openSqliteStore(file)).store, Date.now) };
    const refused = { code: "STORAGE_NEWER", message: expect.stringMatching(/schema 999.*upgrade/) };
    expect(await older.store.documents.get("main/items", "a")).toMatchObject({ id: "a" });
    await expect(older.store.documents.put("main/items", "b", {}, PUT)).rejects.toMatchObject(refused);
    await expect(older.store.blobs.create("a:1", Uint8Array.of(1))).rejects.toMatchObject(refused);
    expect(client.prepare("SELECT count(*) AS count FROM sentiero_documents").get()).toEqual({ count: 1 });
    expect(client.prepare("SELECT count(*) AS count FROM sentiero_blobs").get()).toEqual({ count: 0 });
  });

  test("keeps the other writes of a group when one of them cannot be written", async () => {
    const { store } = await openSqliteStore();
    const settled = await Promise.allSettled([
      store.documents.put("main/items", "before", {}, PUT),
      store.blobs.create("a:before", Uint8Array.of(1)),
      // No score breaks a rule of the table while the group's transaction is open.
      store.documents.put("main/items", "broken", {}, { score: Number.NaN, expectedVersion: 0 }),
      store.blobs.create("a:after", Uint8Array.of(2)),
      store.documents.put("main/items", "after", {}, PUT),
    ]);
    expect(settled.map(({ status }) => status)).toEqual([
      "fulfilled",
      "fulfilled",
      "rejected",
      "fulfilled",
      "fulfilled",
    ]);
    expect(await store.documents.count("main/items", { max: 9 })).toBe(2);
    expect(await Promise.all(["a:before", "a:after"].map((key) => store.blobs.has(key)))).toEqual([true, true]);
  });

  test("still has everything when it is opened again", async () => {
    const first = await openSqliteStore();
    await first.store.documents.put("main/items", "a", { n: 1 }, { ...PUT, terms: ["red"] });
    await first.store.blobs.create("a:1", Uint8Array.of(1, 2));
    await first.store.close();
    await first.storage.dispose();
    const second = await openSqliteStore(first.file);
    expect(await second.store.documents.get("main/items", "a")).toMatchObject({ doc: { n: 1 }, version: 1, score: 1 });
    expect(await second.store.documents.count("main/items", { term: "red", max: 9 })).toBe(1);
    expect(await second.store.blobs.get("a:1")).toEqual(Uint8Array.of(1, 2));
  });

  test("deletes a large session without stopping the event loop for long", async () => {
    const { store } = await openSqliteStore();
    const bytes = new Uint8Array(100_000).fill(7);
    await Promise.all(Array.from({ length: 800 }, (_, index) => store.blobs.create(`a:1:${index}`, bytes)));
    const turns = countTurns();
    await store.blobs.removeAll("a:1:");
    // Not one statement over the whole session: others have their turn after every few blobs.
    expect(turns()).toBeGreaterThan(50);
    expect(await store.blobs.has("a:1:799")).toBe(false);
  });
});

describe("opening a store", () => {
  test("without a storage warns that recordings are gone at restart", () => {
    const warnings: string[] = [];
    openStore(undefined, { platform, maxMemoryBytes: 1, warn: (message) => warnings.push(message) });
    expect(warnings).toEqual([expect.stringContaining("memory")]);
  });

  test("from the command line takes memory and sqlite:FILE, makes folders, and refuses the rest", async () => {
    const folder = temporaryFolder();
    const storage = await openStorage(`sqlite:${join(folder, "deep", "er", "data.sqlite")}`);
    expect(storage.getMount("").driver.name).toBe("db0");
    await storage.dispose();
    expect((await openStorage("memory")).getMount("").driver.name).toBe("memory");
    for (const text of ["sqlite:", "oracle://x", "", "Memory"]) {
      await expect(openStorage(text)).rejects.toThrow(/is not known/);
    }
  });
});

/** Writes forty documents in a process of its own, and says so. */
function runWriter(file: string, name: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const child = fork(new URL("../support/writer-process.ts", import.meta.url), [file, name], { execArgv: [] });
    child.on("message", resolve);
    child.on("error", reject);
    child.on("exit", (code) => reject(new Error(`the writer ended with ${code}`)));
  });
}
