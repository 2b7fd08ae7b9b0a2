import { join } from "node:path";
import nodeSqlite from "db0/connectors/node-sqlite";
import { createStorage, type Driver } from "unstorage";
import kvBinding from "unstorage/drivers/cloudflare-kv-binding";
import r2Binding from "unstorage/drivers/cloudflare-r2-binding";
import db0Driver from "unstorage/drivers/db0";
import fsLite from "unstorage/drivers/fs-lite";
import memory from "unstorage/drivers/memory";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { openStore } from "../../src/storage/open.ts";
import type { BlobPage } from "../../src/storage/blobs.ts";
import type { Store } from "../../src/storage/store.ts";
import { storeContract } from "../../src/testing.ts";
import { missing, openPool, postgresServer, toDatabase } from "../support/databases.ts";
import { createMapDriver } from "../support/map-driver.ts";
import { startS3, type S3Server } from "../support/s3.ts";
import { intercept, platform, temporaryFolder } from "../support/stores.ts";
import { startWorker, type WorkerBindings } from "../support/workers.ts";

const OPTIONS = { platform, maxMemoryBytes: 1 << 30, warn: () => {} };
const PUT = { score: 1, expectedVersion: 0 } as const;

/** A store with documents in one driver and blobs in another. */
function openMounted(documents: Driver, batches: Driver): Store {
  const storage = createStorage({ driver: documents });
  storage.mount("batches", batches);
  return openStore(storage, OPTIONS);
}

describe("contract: SQLite, blobs in files", () => {
  const open = async () => {
    const folder = temporaryFolder();
    const database = toDatabase(nodeSqlite({ path: join(folder, "documents.sqlite") }));
    onTestFinished(() => database.dispose());
    return openMounted(db0Driver({ database }), fsLite({ base: join(folder, "batches") }));
  };
  for (const { name, run } of storeContract(open)) test(name, run);
});

/** Each call goes to workerd and back. */
const FEWER = { listedBlobs: 60 };
const SLOW = { timeout: 60_000 };

let worker: WorkerBindings;
let server: S3Server;
let cases = 0;
beforeAll(async () => {
  [worker, server] = await Promise.all([startWorker(), startS3()]);
});
afterAll(() => Promise.all([worker.close(), server.close()]));

// A base of its own for each case, because they share one namespace and one bucket.
const r2 = (): Driver => r2Binding({ binding: worker.r2 as never, base: `case-${cases++}` });
const kv = (): Driver => kvBinding({ binding: worker.kv as never, base: `case-${cases++}` });

describe("contract: Cloudflare R2", SLOW, () => {
  const open = async () => openStore(createStorage({ driver: r2() }), OPTIONS);
  for (const { name, run } of storeContract(open, FEWER)) test(name, run);
});

describe("contract: memory, blobs on Workers KV", SLOW, () => {
  const open = async () => openMounted(memory(), kv());
  for (const { name, run } of storeContract(open, FEWER)) test(name, run);
});

describe.skipIf(!postgresServer)(`contract: PostgreSQL, blobs on S3${missing(postgresServer, "POSTGRES")}`, () => {
  let url: string;
  beforeAll(async () => {
    url = await postgresServer!.createDatabase();
  });
  afterAll(() => postgresServer!.dropDatabase(url));
  const open = async () => {
    const database = openPool(url);
    onTestFinished(() => database.dispose());
    const root = db0Driver({ database });
    const store = openMounted(root, await server.openBucket());
    await store.documents.count("none", { max: 1 });
    for (const table of ["terms", "documents", "meta"]) await database.exec(`DELETE FROM sentiero_${table}`);
    return store;
  };
  for (const { name, run } of storeContract(open, { listedBlobs: 60 })) test(name, run);
});

describe("in workerd", SLOW, () => {
  test("documents are kept in D1 and blobs in R2", async () => {
    // As db0's connector gives it; the connector itself takes the binding from a module that only Workers have.
    const database = { connector: "cloudflare-d1", getInstance: () => worker.d1 };
    const root = { ...createMapDriver("db0"), getInstance: () => database };
    const store = openMounted(root, r2());
    const big = new Uint8Array(3_000_000).fill(7);
    await store.blobs.create("batches:main:a:1", big);
    expect(await store.documents.put("main/items", "a", {}, PUT)).toBe(true);
    expect((await store.blobs.get("batches:main:a:1"))?.length).toBe(big.length);
    const client = worker.d1 as { prepare(sql: string): { first(column: string): Promise<unknown> } };
    expect(await client.prepare("SELECT count(*) AS count FROM sentiero_blobs").first("count")).toBe(0);
    expect(await client.prepare("SELECT count(*) AS count FROM sentiero_documents").first("count")).toBe(1);
    expect(root.values.size).toBe(0);
  });

  test("Workers KV keeps blobs as bytes, and refuses documents with what to do", async () => {
    const store = openMounted(memory(), kvBinding({ binding: worker.kv as never }));
    await store.blobs.create("batches:main:plain", Uint8Array.of(1, 2, 3));
    const namespace = worker.kv as { get(key: string, type: string): Promise<ArrayBuffer> };
    expect([...new Uint8Array(await namespace.get("batches:main:plain", "arrayBuffer"))]).toEqual([1, 2, 3]);
    expect(() => openStore(createStorage({ driver: kv() }), OPTIONS)).toThrow(
      expect.objectContaining({ code: "STORAGE_UNSUPPORTED", message: expect.stringMatching(/D1.*batches/) }),
    );
  });

  test.each([
    ["R2", "r2"],
    ["Workers KV", "kv"],
  ] as const)("everything under a prefix in %s is listed and removed, page by page", async (_, name) => {
    // Small pages, as a thousand objects would take too long to make.
    const binding = intercept(worker[name] as object, (method, [options], call) =>
      method === "list" ? (worker[name] as Lister).list({ ...(options as object), limit: 10 }) : call(),
    );
    const open = name === "r2" ? r2Binding : kvBinding;
    const store = openMounted(memory(), open({ binding: binding as never, base: "paged" }));
    const keys = Array.from({ length: 35 }, (_, index) => `batches:main:a:${index}`);
    await Promise.all([...keys, "batches:main:ab:1"].map((key) => store.blobs.create(key, Uint8Array.of(1))));
    const listed: string[] = [];
    let pages = 0;
    for (let cursor: string | null = null; pages === 0 || cursor !== null; pages++) {
      const page: BlobPage = await store.blobs.list("batches:main:a:", cursor);
      listed.push(...page.keys);
      cursor = page.cursor;
    }
    expect(listed.sort()).toEqual(keys.sort());
    expect(pages).toBeGreaterThan(3);
    await store.blobs.removeAll("batches:main:a:");
    expect(await store.blobs.list("", null)).toMatchObject({ keys: ["batches:main:ab:1"] });
  });
});

interface Lister {
  list(options: object): Promise<unknown>;
}

describe("a storage with a mount for batches", () => {
  test("keeps every kind of blob there and every document at the root, and says so", async () => {
    const [root, batches] = [memory(), memory()];
    const store = openMounted(root, batches);
    for (const kind of ["batches", "indexes", "segments"]) {
      await store.blobs.create(`${kind}:main:a:1`, Uint8Array.of(1));
    }
    await store.documents.put("main/items", "a", {}, PUT);
    expect(await root.getKeys("", {})).toEqual([]);
    expect([...(await batches.getKeys("", {}))].sort()).toEqual([
      "batches:main:a:1",
      "indexes:main:a:1",
      "segments:main:a:1",
    ]);
    expect(store.about).toEqual({ name: "memory, blobs on memory", writers: "one process", durability: "none" });
  });

  test("has no transaction over both, even where the root has one, and promises the lesser durability", () => {
    const folder = temporaryFolder();
    const database = toDatabase(nodeSqlite({ path: join(folder, "documents.sqlite") }));
    onTestFinished(() => database.dispose());
    const whole = openStore(createStorage({ driver: db0Driver({ database }) }), OPTIONS);
    const mounted = openMounted(db0Driver({ database }), fsLite({ base: folder }));
    expect(whole.putWithBlobs).toBeDefined();
    expect(mounted.putWithBlobs).toBeUndefined();
    expect(whole.about.durability).toBe("power");
    expect(mounted.about).toEqual({ name: "SQLite, blobs on files", writers: "one machine", durability: "process" });
  });

  test("counts the bytes of blobs in memory against the limit", async () => {
    const storage = createStorage({ driver: memory() });
    storage.mount("batches", memory());
    const store = openStore(storage, { ...OPTIONS, maxMemoryBytes: 1_000 });
    expect(store.isFull()).toBe(false);
    await store.blobs.create("batches:main:a:1", new Uint8Array(2_000));
    expect(store.isFull()).toBe(true);
  });
});
