import { fork } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, readdirSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createStorage, type Driver, prefixStorage } from "unstorage";
import fs from "unstorage/drivers/fs";
import fsLite from "unstorage/drivers/fs-lite";
import http from "unstorage/drivers/http";
import { createStorageServer } from "unstorage/server";
import { describe, expect, onTestFinished, test } from "vitest";
import { openStore } from "../../src/storage/open.ts";
import type { Store } from "../../src/storage/store.ts";
import { storeContract } from "../../src/testing.ts";
import { createMapDriver } from "../support/map-driver.ts";
import { openMemoryStore, platform, temporaryFolder } from "../support/stores.ts";

const OPTIONS = { platform, maxMemoryBytes: 1, warn: () => {} };
const ITEMS = "main/items";

function openFiles(base: string): Store {
  return openStore(createStorage({ driver: fs({ base }) }), OPTIONS);
}

describe("contract: memory", () => {
  for (const { name, run } of storeContract(async () => openMemoryStore().store)) test(name, run);
});

describe("contract: fs", () => {
  for (const { name, run } of storeContract(async () => openFiles(temporaryFolder()))) test(name, run);
});

describe("contract: fs-lite", () => {
  const open = async () => openStore(createStorage({ driver: fsLite({ base: temporaryFolder() }) }), OPTIONS);
  for (const { name, run } of storeContract(open)) test(name, run);
});

describe("a folder", () => {
  const SESSION = "batches:main:ada:";

  for (const [name, open] of [
    ["fs", fs],
    ["fs-lite", fsLite],
  ] as const) {
    test(`named by a session goes with what was in it, and no other (${name})`, async () => {
      const base = temporaryFolder();
      const { blobs } = openStore(createStorage({ driver: open({ base }) as Driver }), OPTIONS);
      for (const key of [`${SESSION}w1:x`, `${SESSION}w2:y`, "batches:main:bob:w1:x"]) {
        await blobs.create(key, Uint8Array.of(1));
      }
      mkdirSync(join(base, "batches", "main", "empty"));
      await blobs.removeAll(SESSION);
      expect(readdirSync(join(base, "batches", "main")).sort()).toEqual(["bob", "empty"]);
      expect(await blobs.has("batches:main:bob:w1:x")).toBe(true);
      // Those of a kind and a project name nobody.
      await blobs.removeAll("batches:main:bob:");
      await blobs.removeAll("batches:main:");
      expect(readdirSync(join(base, "batches"))).toEqual(["main"]);
    });
  }

  test("that goes while somebody writes into it takes nothing with it, and fails nobody", async () => {
    const { blobs } = openFiles(temporaryFolder());
    for (let round = 0; round < 60; round++) {
      const keys = Array.from({ length: 4 }, (_, index) => `${SESSION}w${index}:${round}`);
      await Promise.all([blobs.removeAll(SESSION), ...keys.map((key) => blobs.create(key, Uint8Array.of(1)))]);
    }
    await blobs.removeAll(SESSION);
    expect(await blobs.list(SESSION, null)).toEqual({ keys: [], cursor: null });
  });
});

/** As of MongoDB, Upstash, Azure Tables and others that have text only. */
describe("contract: a driver without raw values", () => {
  const open = async () => {
    const texts = new Map<string, string>();
    const driver = {
      name: "text-only",
      hasItem: (key: string) => texts.has(key),
      getItem: (key: string) => texts.get(key) ?? null,
      setItem: (key: string, value: string) => void texts.set(key, value),
      removeItem: (key: string) => void texts.delete(key),
      getKeys: () => [...texts.keys()],
    };
    return openStore(createStorage({ driver }), OPTIONS);
  };
  for (const { name, run } of storeContract(open)) test(name, run);
});

/** The smallest limit of all; everything that is longer lies in parts. */
describe("contract: a driver of short values", () => {
  const open = async () => {
    const driver = createMapDriver("azure-storage-table");
    const { setItemRaw } = driver;
    const limited = (key: string, value: Uint8Array) => {
      if (value.length > 24 * 1024) throw new Error(`${key} is too long`);
      return setItemRaw!(key, value, {});
    };
    return openStore(createStorage({ driver: { ...driver, setItemRaw: limited } }), OPTIONS);
  };
  for (const { name, run } of storeContract(open)) test(name, run);
});

describe("contract: http", () => {
  const open = async () => {
    const server = createServer(createStorageServer(createStorage()).handle).listen(0, "127.0.0.1");
    onTestFinished(() => void server.close());
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    return openStore(createStorage({ driver: http({ base: `http://127.0.0.1:${port}` }) }), OPTIONS);
  };
  for (const { name, run } of storeContract(open, { listedBlobs: 100 })) test(name, run);
});

interface Answer {
  readonly id?: string;
  readonly version: number;
  readonly n: number;
  readonly score: number;
  readonly key?: string;
  readonly digest: string;
}

/** Writes in a process of its own, kills it after so many answers, and gives them. */
async function writeAndKill(folder: string, round: number, count: number): Promise<readonly Answer[]> {
  const child = fork(new URL("../support/key-value-writer.ts", import.meta.url), [folder, String(round)]);
  const answers: Answer[] = [];
  child.on("message", (answer) => {
    if (answers.push(answer as Answer) === count) child.kill("SIGKILL");
  });
  const [, signal] = (await once(child, "close")) as [number | null, string | null];
  expect(signal).toBe("SIGKILL");
  return answers;
}

describe("a store in files", () => {
  test("has everything that was answered after its process was killed while it wrote", async () => {
    const folder = temporaryFolder();
    const documents = new Map<string, Answer>();
    const blobs = new Map<string, Answer>();
    for (let round = 1; round <= 4; round++) {
      for (const answer of await writeAndKill(folder, round, 40 + 37 * round)) {
        if (answer.id) documents.set(answer.id, answer);
        if (answer.key) blobs.set(answer.key, answer);
      }
      const store = openFiles(folder);
      for (const [id, { version, n }] of documents) {
        const stored = await store.documents.get<{ n: number; text: string }>(ITEMS, id);
        // What was under way may be there too.
        expect(stored!.version).toBeGreaterThanOrEqual(version);
        if (stored!.version === version) expect(stored!.doc.n).toBe(n);
        expect(stored!.doc.text).toHaveLength(20_000);
      }
      for (const [key, { digest }] of blobs) {
        const bytes = (await store.blobs.get(key)) ?? new Uint8Array();
        expect(bytes.length).toBe(64 * 500);
        expect(Buffer.from(bytes.subarray(-64)).toString("hex")).toBe(digest);
      }
      const { items } = await store.documents.page(ITEMS, { order: "ascending", limit: 200 });
      expect(items.map(({ id }) => id)).toEqual([...new Set(items.map(({ id }) => id))]);
      for (const id of documents.keys()) expect(items.some((item) => item.id === id)).toBe(true);
      for (const [index, item] of items.entries()) {
        expect(await store.documents.get(ITEMS, item.id)).toEqual(item);
        if (index > 0) expect(items[index - 1]!.score).toBeLessThanOrEqual(item.score);
      }
      expect(await store.documents.count(ITEMS, { max: 1_000 })).toBe(items.length);
      let ofWorkers = 0;
      for (let worker = 0; worker < 6; worker++) {
        ofWorkers += await store.documents.count(ITEMS, { term: `worker-${worker}`, max: 1_000 });
      }
      expect(ofWorkers).toBe(items.length);
      await store.close();
    }
    expect(documents.size).toBeGreaterThan(6);
    expect(blobs.size).toBeGreaterThan(6);
  });

  test("goes on with the version before when the newest was torn", async () => {
    const folder = temporaryFolder();
    const store = openFiles(folder);
    for (let version = 0; version < 4; version++) {
      await store.documents.put(ITEMS, "a", { version }, { score: 1, expectedVersion: version });
    }
    await store.close();
    const slot = join(folder, "documents/main/items/a.0");
    for (const damage of [
      () => truncateSync(slot, statSync(slot).size - 1),
      () => truncateSync(slot, 0),
      () => writeFileSync(slot, Buffer.alloc(100)),
      () => writeFileSync(slot, "not ours"),
    ]) {
      damage();
      expect(await openFiles(folder).documents.get(ITEMS, "a")).toMatchObject({ version: 3, doc: { version: 2 } });
    }
    const put = { score: 1, expectedVersion: 3 };
    expect(await openFiles(folder).documents.put(ITEMS, "a", { version: "again" }, put)).toBe(true);
    expect(await openFiles(folder).documents.get(ITEMS, "a")).toMatchObject({ version: 4, doc: { version: "again" } });
  });

  test("writes a blob that a crash left torn again when it comes again", async () => {
    const folder = temporaryFolder();
    const store = openFiles(folder);
    const bytes = new Uint8Array(10_000).fill(7);
    await store.blobs.create("batches:main:a:1", bytes);
    truncateSync(join(folder, "batches/main/a/1"), 5_000);
    await store.blobs.create("batches:main:a:1", bytes);
    expect(await store.blobs.get("batches:main:a:1")).toEqual(bytes);
  });

  test("is never read half while a blob comes again", async () => {
    const store = openFiles(temporaryFolder());
    const bytes = new Uint8Array(3_000_000).fill(7);
    await store.blobs.create("batches:main:a:1", bytes);
    const again = Array.from({ length: 5 }, () => store.blobs.create("batches:main:a:1", bytes));
    const readings = Array.from({ length: 20 }, async () => (await store.blobs.get("batches:main:a:1"))?.length);
    expect(new Set(await Promise.all(readings))).toEqual(new Set([bytes.length]));
    await Promise.all(again);
  });

  test("has lower-case names only, and finds what lies in folders that others leave out", async () => {
    const folder = temporaryFolder();
    const store = openFiles(folder);
    const ids = ["abc", "ABC", "Abc", "node_modules", "con", ".git", "..", "a/b", "\ud800", "\ud801"];
    for (const id of ids) await store.documents.put(ITEMS, id, { id }, { score: 1, expectedVersion: 0 });
    for (const id of ids) expect((await store.documents.get(ITEMS, id))?.doc).toEqual({ id });
    await store.blobs.create("batches:main:node_modules:1", Uint8Array.of(1));
    const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
    expect(names.filter((name) => name !== name.toLowerCase())).toEqual([]);
    const lowered = names.map((name) => createHash("sha1").update(name).digest("hex"));
    expect(new Set(lowered).size).toBe(names.length);
    expect((await store.blobs.list("batches:main:", null)).keys).toEqual(["batches:main:node_modules:1"]);
    await store.blobs.removeAll("batches:main:node_modules:");
    expect((await store.blobs.list("batches:", null)).keys).toEqual([]);
  });

  test("that cannot be listed is an error for the doctor", async () => {
    const store = openFiles(join(temporaryFolder(), "node_modules", "data"));
    // unstorage's driver leaves these folders out; we walk them ourselves.
    expect(await store.check()).toEqual([]);
    const blind = { ...createMapDriver("blind"), getKeys: () => [] };
    expect(await openStore(createStorage({ driver: blind }), OPTIONS).check()).toEqual([
      expect.objectContaining({ level: "error", what: expect.stringContaining("not listed") }),
    ]);
  });
});

test("a storage with a prefix is refused with what to do instead", () => {
  const storage = prefixStorage(createStorage(), "sentiero");
  expect(() => openStore(storage, OPTIONS)).toThrow(
    expect.objectContaining({ code: "STORAGE_UNSUPPORTED", message: expect.stringContaining("base") }),
  );
});
