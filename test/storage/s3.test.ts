import { createStorage } from "unstorage";
import s3Driver from "unstorage/drivers/s3";
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

describe("a bucket that fails for the moment", () => {
  /** Answers the next requests in the server's place, and sends on what comes after. */
  function failFirst(...answers: readonly (() => Response)[]): { methods: () => readonly string[] } {
    const waiting = [...answers];
    const original = globalThis.fetch;
    const sent = vi.spyOn(globalThis, "fetch").mockImplementation(async (...args) => {
      const next = waiting.shift();
      return next ? next() : original(...args);
    });
    onTestFinished(() => sent.mockRestore());
    return { methods: () => sent.mock.calls.map(([request]) => (request as Request).method) };
  }

  const slowDown = () => new Response("<Error><Code>SlowDown</Code></Error>", { status: 503 });
  const broken = () => new Response("", { status: 500 });
  const unreachable = (): never => {
    throw new TypeError("fetch failed");
  };

  const KEY = "batches:main:a:1";
  const WAYS: readonly [name: string, method: string, run: (store: Store) => Promise<unknown>][] = [
    ["writing", "PUT", ({ blobs }) => blobs.create(KEY, Uint8Array.of(1))],
    ["reading", "GET", ({ blobs }) => blobs.get(KEY)],
    ["looking", "HEAD", ({ blobs }) => blobs.has(KEY)],
    ["removing", "DELETE", ({ blobs }) => blobs.remove(KEY)],
    ["listing", "GET", ({ blobs }) => blobs.list("batches:main:a:", null)],
  ];

  for (const [name, method, run] of WAYS) {
    test(`is asked again while ${name}, twice`, async () => {
      const store = await open();
      const { methods } = failFirst(slowDown, unreachable);
      await run(store);
      // Removing looks first whether there are parts.
      expect(methods().filter((one) => one === method).length).toBeGreaterThanOrEqual(method === "DELETE" ? 1 : 3);
      expect(methods().length).toBeGreaterThanOrEqual(3);
    });

    test(`is 503 with Retry-After when it goes on failing while ${name}`, async () => {
      const store = await open();
      const { methods } = failFirst(slowDown, broken, slowDown);
      const unavailable = { status: 503, headers: { "retry-after": "2" } };
      await expect(run(store)).rejects.toMatchObject(unavailable);
      expect(methods()).toHaveLength(3);
    });
  }

  test("keeps what was written at the second try", async () => {
    const { blobs } = await open();
    failFirst(slowDown);
    await blobs.create(KEY, Uint8Array.of(1, 2, 3));
    expect(await blobs.get(KEY)).toEqual(Uint8Array.of(1, 2, 3));
  });

  test("by not answering in time, or by half a body, is 503 too", async () => {
    const { blobs } = await open();
    const unavailable = { status: 503, headers: { "retry-after": "2" } };
    const late = vi.spyOn(AbortSignal, "timeout").mockImplementation(() => AbortSignal.abort());
    await expect(blobs.get(KEY)).rejects.toMatchObject(unavailable);
    late.mockRestore();
    const cut = new ReadableStream({ pull: (controller) => controller.error(new TypeError("terminated")) });
    failFirst(() => new Response(cut));
    await expect(blobs.get(KEY)).rejects.toMatchObject(unavailable);
  });

  test("is not asked again where it says no", async () => {
    const { blobs } = await open();
    const { methods } = failFirst(() => new Response("<Error><Code>AccessDenied</Code></Error>", { status: 403 }));
    await expect(blobs.get(KEY)).rejects.toThrow(/403.*AccessDenied/);
    expect(methods()).toEqual(["GET"]);
  });

  test("and is not there at all takes nothing, and says so", async () => {
    const driver = s3Driver({
      accessKeyId: "S3RVER",
      secretAccessKey: "S3RVER",
      region: "us-east-1",
      endpoint: server.endpoint,
      bucket: "never-made",
    });
    const { blobs, check } = openStore(createStorage({ driver }), { platform, maxMemoryBytes: 1, warn: () => {} });
    await expect(blobs.create(KEY, Uint8Array.of(1))).rejects.toThrow(/NoSuchBucket/);
    await expect(blobs.get(KEY)).rejects.toThrow(/no bucket/);
    expect(await check()).toEqual([expect.objectContaining({ level: "error" })]);
  });
});
