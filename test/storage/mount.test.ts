import { join } from "node:path";
import type { Database } from "db0";
import d1 from "db0/connectors/cloudflare-d1";
import nodeSqlite from "db0/connectors/node-sqlite";
import { createStorage, type Driver } from "unstorage";
import kvBinding from "unstorage/drivers/cloudflare-kv-binding";
import r2Binding from "unstorage/drivers/cloudflare-r2-binding";
import db0Driver from "unstorage/drivers/db0";
import fsLite from "unstorage/drivers/fs-lite";
import memory from "unstorage/drivers/memory";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { openStore } from "../../src/storage/open.ts";
import type { Store } from "../../src/storage/store.ts";
import { storeContract } from "../../src/testing.ts";
import { missing, openPool, postgresServer, toDatabase } from "../support/databases.ts";
import { startS3, type S3Server } from "../support/s3.ts";
import { platform, temporaryFolder } from "../support/stores.ts";
import { startWorker, type WorkerBindings } from "../support/workers.ts";

const OPTIONS = { platform, maxMemoryBytes: 1 << 30, warn: () => {} };
const PUT = { score: 1, expectedVersion: 0 } as const;

/** A store with documents in one driver and blobs in another. */
function openMounted(documents: Driver, batches: Driver): Store {
  const storage = createStorage({ driver: documents });
  storage.mount("batches", batches);
  return openStore(storage, OPTIONS);
}

/** A database that all cases share, emptied before each. */
async function empty(database: Database): Promise<void> {
  const store = openStore(createStorage({ driver: db0Driver({ database }) }), OPTIONS);
  await store.documents.count("none", { max: 1 });
  for (const table of ["terms", "documents", "blobs", "meta"]) await database.exec(`DELETE FROM sentiero_${table}`);
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

describe("in workerd", () => {
  let worker: WorkerBindings;
  let cases = 0;
  beforeAll(async () => {
    worker = await startWorker();
  });
  afterAll(() => worker.close());
  // A base of its own for each case, because they share one namespace and one bucket.
  const r2 = () => r2Binding({ binding: worker.r2 as never, base: `case-${cases++}` });
  const kv = () => kvBinding({ binding: worker.kv as never, base: `case-${cases++}` });

  describe("contract: Cloudflare R2", () => {
    const open = async () => openStore(createStorage({ driver: r2() }), OPTIONS);
    for (const { name, run } of storeContract(open)) test(name, run);
  });

  describe("contract: D1, blobs on Cloudflare R2", () => {
    const database = () => {
      Object.assign(globalThis, { __env__: { MOUNT_TEST_D1: worker.d1 } });
      return toDatabase(d1({ bindingName: "MOUNT_TEST_D1" }));
    };
    const open = async () => {
      await empty(database());
      return openMounted(db0Driver({ database: database() }), r2());
    };
    for (const { name, run } of storeContract(open)) test(name, run);
  });

  describe("contract: memory, blobs on Workers KV", () => {
    const open = async () => openMounted(memory(), kv());
    for (const { name, run } of storeContract(open)) test(name, run);
  });

  test("Workers KV keeps blobs as bytes, and refuses documents with what to do", async () => {
    const store = openMounted(memory(), kvBinding({ binding: worker.kv as never }));
    await store.blobs.create("batches:main:plain", Uint8Array.of(1, 2, 3));
    const bytes = await (worker.kv as { get(key: string, type: string): Promise<ArrayBuffer> }).get(
      "batches:main:plain",
      "arrayBuffer",
    );
    expect([...new Uint8Array(bytes)]).toEqual([1, 2, 3]);
    expect(() => openStore(createStorage({ driver: kv() }), OPTIONS)).toThrow(
      expect.objectContaining({ code: "STORAGE_UNSUPPORTED", message: expect.stringMatching(/D1.*batches/) }),
    );
  });
});

describe.skipIf(!postgresServer)(`contract: PostgreSQL, blobs on S3${missing(postgresServer, "POSTGRES")}`, () => {
  let server: S3Server;
  let url: string;
  let database: Database;
  beforeAll(async () => {
    server = await startS3();
    url = await postgresServer!.createDatabase();
    database = openPool(url);
  });
  afterAll(async () => {
    await database.dispose();
    await postgresServer!.dropDatabase(url);
    await server.close();
  });
  const open = async () => {
    await empty(database);
    return openMounted(db0Driver({ database }), await server.openBucket());
  };
  for (const { name, run } of storeContract(open)) test(name, run);
});

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
