import { createStorage } from "unstorage";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { openStore } from "../../src/storage/open.ts";
import type { Store } from "../../src/storage/store.ts";
import { storeContract } from "../../src/testing.ts";
import { startS3, type S3Server } from "../support/s3.ts";
import { platform } from "../support/stores.ts";

let server: S3Server;
beforeAll(async () => {
  server = await startS3();
});
afterAll(() => server.close());

async function open(options?: { bulkDelete?: boolean; accessKeyId?: string }): Promise<Store> {
  const storage = createStorage({ driver: await server.openBucket(options) });
  return openStore(storage, { platform, maxMemoryBytes: 1, warn: () => {} });
}

describe("contract: S3", () => {
  for (const { name, run } of storeContract(() => open())) test(name, run);
});

describe("a bucket", () => {
  test("is emptied under a prefix beyond the first thousand keys, and nowhere else", async () => {
    const { blobs } = await open();
    const keys = Array.from({ length: 1_100 }, (_, index) => `batches:main:a:${index}`);
    for (let at = 0; at < keys.length; at += 50) {
      await Promise.all(keys.slice(at, at + 50).map((key) => blobs.create(key, Uint8Array.of(1))));
    }
    // These come before and after them in the bucket's order.
    const others = ["aaa:main:a:1", "batches:main:ab:1", "zzz:main:a:1"];
    for (const key of others) await blobs.create(key, Uint8Array.of(1));
    const sent = vi.spyOn(globalThis, "fetch");
    onTestFinished(() => sent.mockRestore());
    await blobs.removeAll("batches:main:a:");
    // Two pages, each removed by one request.
    expect(sent.mock.calls.map(([request]) => (request as Request).method)).toEqual(["GET", "POST", "GET", "POST"]);
    expect([...(await blobs.list("", null)).keys].sort()).toEqual(others);
  });

  test("of a server without DeleteObjects is emptied one by one", async () => {
    const { blobs } = await open({ bulkDelete: false });
    for (let index = 0; index < 30; index++) await blobs.create(`batches:main:a:${index}`, Uint8Array.of(1));
    await blobs.removeAll("batches:main:a:");
    expect(await blobs.list("", null)).toEqual({ keys: [], cursor: null });
  });

  test("that refuses us says so, and takes nothing for empty", async () => {
    const { blobs, check } = await open({ accessKeyId: "nobody" });
    await expect(blobs.list("batches:", null)).rejects.toThrow(/S3 answered 403/);
    await expect(blobs.removeAll("batches:")).rejects.toThrow(/403/);
    await expect(blobs.get("batches:main:a:1")).rejects.toThrow(/403/);
    expect(await check()).toEqual([expect.objectContaining({ level: "error", what: expect.stringContaining("403") })]);
  });
});
