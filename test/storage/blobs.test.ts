import { createStorage } from "unstorage";
import { describe, expect, test } from "vitest";
import { splitBlobs, splitItems, splitPut } from "../../src/storage/blob-parts.ts";
import type { BlobStore } from "../../src/storage/blobs.ts";
import { createItems } from "../../src/storage/items.ts";
import { toKeyPart } from "../../src/storage/keys.ts";
import { createStorageBlobs } from "../../src/storage/storage-blobs.ts";
import { createMapDriver, type MapDriver, type MapDriverOptions } from "../support/map-driver.ts";
import { platform } from "../support/stores.ts";

const MAX = 100;
const KEY = "batches:main:a:1";

function openMap(options?: MapDriverOptions): { driver: MapDriver; plain: BlobStore; blobs: BlobStore } {
  const driver = createMapDriver("mongodb", options);
  const storage = createStorage({ driver });
  const plain = createStorageBlobs(createItems({ storage, base: "", driver }));
  return { driver, plain, blobs: splitBlobs(plain, MAX, platform) };
}

function bytesOf(length: number, first = 0): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (first + index) & 0xff);
}

describe("a blob above the limit", () => {
  test("comes back exactly at every length around it, whatever it begins with", async () => {
    const { driver, blobs } = openMap();
    for (const first of [0, 0xf5]) {
      for (const length of [0, 1, 97, 98, 99, 100, 101, 199, 200, 201, 1_000]) {
        const key = `batches:main:${first}:${length}`;
        await blobs.create(key, bytesOf(length, first));
        expect(await blobs.get(key)).toEqual(bytesOf(length, first));
      }
    }
    for (const [key, value] of driver.values) expect([key, value.length <= MAX]).toEqual([key, true]);
  });

  test("has its parts before its head, so that a crash leaves nothing that names what is missing", async () => {
    for (let survived = 0; survived <= 6; survived++) {
      let left = survived;
      const { driver, blobs } = openMap({
        beforeWrite() {
          if (left-- <= 0) throw new Error("killed");
        },
      });
      await blobs.create(KEY, bytesOf(450)).catch(() => {});
      const next = openMap({ values: driver.values }).blobs;
      expect(await next.get(KEY)).toEqual(survived === 6 ? bytesOf(450) : null);
      // The client's retry heals it.
      await next.create(KEY, bytesOf(450));
      expect(await next.get(KEY)).toEqual(bytesOf(450));
      await next.remove(KEY);
      expect([...driver.values.keys()]).toEqual([]);
    }
  });

  test("is not mixed with another writer's of the same key", async () => {
    const { blobs } = openMap();
    await Promise.all([bytesOf(450), bytesOf(450), bytesOf(450, 7)].map((bytes) => blobs.create(KEY, bytes)));
    expect([bytesOf(450), bytesOf(450, 7)]).toContainEqual(await blobs.get(KEY));
  });

  test("shows no part in a listing, and goes with all of them by its key and by a prefix", async () => {
    const { driver, blobs } = openMap();
    for (const name of ["a:1", "a:2", "ab:1"]) await blobs.create(`batches:main:${name}`, bytesOf(450));
    expect((await blobs.list("batches:", null)).keys).toEqual(
      ["a:1", "a:2", "ab:1"].map((name) => `batches:main:${name}`),
    );
    await blobs.remove("batches:main:a:1");
    await blobs.removeAll("batches:main:a:");
    expect(await blobs.get("batches:main:ab:1")).toEqual(bytesOf(450));
    await blobs.removeAll("batches:main:");
    expect(driver.values.size).toBe(0);
  });

  test("that has lost a part is an error that names it, and not a shorter blob", async () => {
    const { driver, blobs } = openMap();
    await blobs.create(KEY, bytesOf(450));
    const part = [...driver.values.keys()].find((key) => key.endsWith(".2"))!;
    driver.values.set(part, driver.values.get(part)!.slice(1));
    await expect(blobs.get(KEY)).rejects.toThrow(/batches:main:a:1 is damaged: part 3 of 5/);
    driver.values.delete(part);
    await expect(blobs.get(KEY)).rejects.toThrow(/batches:main:a:1 is damaged: part 3 of 5/);
    await blobs.remove(KEY);
    expect(driver.values.size).toBe(0);
  });

  test("keeps its keys under 255 bytes", async () => {
    const { driver, blobs } = openMap();
    await blobs.create(`batches:${"k".repeat(192)}`, bytesOf(100_000));
    expect(Math.max(...[...driver.values.keys()].map((key) => key.length))).toBeLessThan(230);
  });

  test("goes into a transaction as its head, with the parts before it", async () => {
    const { plain, blobs } = openMap();
    const seen: [string, boolean][] = [];
    const put = splitPut(
      async (_collection, _id, _doc, _options, named) => {
        for (const [key, bytes] of named) {
          seen.push([key, bytes.length <= MAX]);
          await plain.create(key, bytes);
        }
        return true;
      },
      plain,
      MAX,
      platform,
    );
    const named = new Map([
      [KEY, bytesOf(450)],
      ["batches:main:a:2", bytesOf(50)],
    ]);
    expect(await put("main/items", "a", {}, { score: 1, expectedVersion: 0 }, named)).toBe(true);
    expect(seen).toEqual([
      [KEY, true],
      ["batches:main:a:2", true],
    ]);
    expect(await blobs.get(KEY)).toEqual(bytesOf(450));
  });
});

test("an item above the limit leaves no part behind when it is written again", async () => {
  const driver = createMapDriver("mongodb");
  const items = splitItems(createItems({ storage: createStorage({ driver }), base: "", driver }), MAX, platform);
  for (const bytes of [bytesOf(450), bytesOf(700, 3), bytesOf(700, 3), bytesOf(20), bytesOf(300)]) {
    await items.set("documents:a", bytes);
    expect(await items.get("documents:a")).toEqual(bytes);
    expect(driver.values.size).toBe(bytes.length > MAX ? 1 + Math.ceil(bytes.length / MAX) : 1);
  }
});

describe("raw values", () => {
  const bytes = bytesOf(300);
  const forms: Record<string, unknown> = {
    Buffer: Buffer.from(bytes),
    "a Buffer of a pool": Buffer.concat([Buffer.from("xx"), bytes]).subarray(2),
    Uint8Array: bytes,
    ArrayBuffer: bytes.slice().buffer,
    "an array of numbers": [...bytes],
    "base64 text": Buffer.from(bytes).toString("base64"),
    "base64 text as unstorage marks it": `base64:${Buffer.from(bytes).toString("base64")}`,
    Blob: new Blob([bytes.slice()]),
    "a stream": new Blob([bytes.slice()]).stream(),
  };
  for (const [name, value] of Object.entries(forms)) {
    test(`that a driver gives back as ${name} are the bytes`, async () => {
      const driver = { ...createMapDriver("mongodb"), getItemRaw: () => value };
      const found = await createItems({ storage: createStorage({ driver }), base: "", driver }).get("a");
      expect(found?.constructor).toBe(Uint8Array);
      expect(found).toEqual(bytes);
    });
  }
});

describe("a part of a key", () => {
  test("stays readable where that is safe, and is a digest everywhere else", async () => {
    for (const plain of ["a", "session-1", "0f3c_9", "a".repeat(40)])
      expect(await toKeyPart(plain, platform)).toBe(plain);
    const odd = [
      "",
      "A",
      "a".repeat(41),
      "_a",
      "-a",
      "a.b",
      "é",
      "node_modules",
      "con",
      "com1",
      "\ud800",
      "\udc00",
      "\ufffd",
    ];
    const digests = await Promise.all(odd.map((id) => toKeyPart(id, platform)));
    for (const digest of digests) expect(digest).toMatch(/^_[0-9a-f]{32}$/);
    expect(new Set(digests).size).toBe(odd.length);
  });
});
