import { join } from "node:path";
import libsql from "db0/connectors/libsql/node";
import nodeSqlite from "db0/connectors/node-sqlite";
import { describe, expect, onTestFinished, test } from "vitest";
import { trackWrites } from "../../src/storage/track-writes.ts";
import { openSqlStore, toDatabase } from "../support/databases.ts";
import { openMemoryStore, temporaryFolder } from "../support/stores.ts";

const PUT = { score: 1, expectedVersion: 0 } as const;

describe("closing a store", () => {
  for (const [name, open] of [
    ["in one piece", (path: string) => nodeSqlite({ path })],
    ["in parts", (path: string) => libsql({ url: `file:${path}` })],
  ] as const) {
    test(`waits for a blob and its document that are kept ${name}`, async () => {
      const database = toDatabase(open(join(temporaryFolder(), "test.sqlite")));
      onTestFinished(() => database.dispose());
      const store = openSqlStore(database);
      await store.schemaVersion(1);
      const bytes = new Uint8Array(13 * 1024 * 1024).fill(7);
      let isPut = false;
      let isCreated = false;
      const put = store.putWithBlobs!("main/items", "a", {}, PUT, new Map([["a:1:x", bytes]])).then(
        () => (isPut = true),
      );
      const created = store.blobs.create("a:2:x", bytes).then(() => (isCreated = true));
      await store.close();
      for (let turn = 0; turn < 10; turn++) await Promise.resolve();
      expect({ isPut, isCreated }).toEqual({ isPut: true, isCreated: true });
      await Promise.all([put, created]);
    });
  }

  test("waits for a put with blobs that is refused", async () => {
    const { store } = openMemoryStore();
    let refuse = (): void => {};
    const refused = new Promise<boolean>((_, reject) => (refuse = () => reject(new Error("no"))));
    const tracked = trackWrites({ ...store, putWithBlobs: () => refused });
    const order: string[] = [];
    const put = tracked.putWithBlobs!("main/items", "a", {}, PUT, new Map()).catch(() => order.push("refused"));
    const closed = tracked.close().then(() => order.push("closed"));
    await new Promise((resolve) => setImmediate(resolve));
    expect(order).toEqual([]);
    refuse();
    await Promise.all([put, closed]);
    expect(order).toEqual(["refused", "closed"]);
  });
});
