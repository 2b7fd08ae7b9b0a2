/**
 * Runs the contract on a Deno KV in memory, in Deno, and prints a line of JSON for each case. With a file as argument,
 * adds 50 to a counter in that file one by one instead, and prints what the counter is then.
 */
import { createWebPlatform } from "../../src/platform.ts";
import { splitBlobs } from "../../src/storage/blob-parts.ts";
import { createDenoKvStore, DENO_KV_MAX_BLOB_BYTES, type DenoKv } from "../../src/storage/deno-kv.ts";
import type { Store } from "../../src/storage/store.ts";
import { storeContract } from "../../src/testing.ts";

type OpenedKv = DenoKv & { close(): void };
const { openKv, args } = (globalThis as unknown as { Deno: Runtime }).Deno;

/** What is used of Deno, whose types are not installed. */
interface Runtime {
  openKv(path: string): Promise<OpenedKv>;
  readonly args: readonly string[];
}

const ITEMS = "main/items";

function openStore(kv: DenoKv): Store {
  const store = createDenoKvStore(kv, { prefix: ["base", "sentiero"] });
  return { ...store, blobs: splitBlobs(store.blobs, DENO_KV_MAX_BLOB_BYTES, createWebPlatform()) };
}

async function openForContract(): Promise<Store> {
  const kv = await openKv(":memory:");
  const store = openStore(kv);
  let isOpen = true;
  const close = async (): Promise<void> => {
    await store.close();
    if (isOpen) kv.close();
    isOpen = false;
  };
  return { ...store, close };
}

const CASES: Readonly<Record<string, () => Promise<void>>> = {
  "reads long documents whole while they are replaced": async () => {
    const kv = await openKv(":memory:");
    const { documents } = openStore(kv);
    const replace = async (version: number): Promise<void> => {
      const doc = { text: String(version % 10).repeat(300_000 - version * 20_000) };
      expect(await documents.put(ITEMS, "a", doc, { score: version, terms: ["red"], expectedVersion: version }), true);
    };
    await replace(0);
    const replaced = (async () => {
      for (let version = 1; version < 12; version++) await replace(version);
    })();
    for (let score = 0; score < 11;) {
      const stored = await documents.get<{ text: string }>(ITEMS, "a");
      score = stored!.score;
      expect([...new Set(stored?.doc.text)], [String(score % 10)]);
      expect(stored?.doc.text.length, 300_000 - score * 20_000);
    }
    await replaced;
    await documents.remove(ITEMS, "a");
    for await (const { key } of kv.list({ prefix: [] })) throw new Error(`left behind: ${JSON.stringify(key)}`);
    kv.close();
  },

  "lists and removes blobs by any prefix": async () => {
    const kv = await openKv(":memory:");
    const { blobs } = openStore(kv);
    const sessions = Array.from({ length: 700 }, (_, index) => `s${index}`);
    const keys = sessions.flatMap((id) => ["batches:main", "index:main"].map((start) => `${start}:${id}:w0:0`)).sort();
    for (const key of keys) await blobs.create(key, Uint8Array.of(1));
    for (const prefix of ["", "batches:", "batches:main:s7:", "batches:m:"]) {
      expect(
        await keysOf(blobs, prefix),
        keys.filter((key) => key.startsWith(prefix)),
      );
    }
    for (const prefix of ["batches:main:s7:", "batches:"]) {
      await blobs.removeAll(prefix);
      expect(
        await keysOf(blobs, ""),
        keys.filter((key) => !key.startsWith(prefix) && !key.startsWith("batches:main:s7:")),
      );
    }
    kv.close();
  },
};

async function keysOf(blobs: Store["blobs"], prefix: string): Promise<readonly string[]> {
  const keys: string[] = [];
  let cursor: string | null = null;
  do {
    const page = await blobs.list(prefix, cursor);
    keys.push(...page.keys);
    cursor = page.cursor;
  } while (cursor !== null);
  return keys.sort();
}

function expect(actual: unknown, expected: unknown): void {
  const [got, wanted] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (got !== wanted) throw new Error(`expected ${wanted?.slice(0, 200)}, got ${got?.slice(0, 200)}`);
}

async function runCases(): Promise<void> {
  const own = Object.entries(CASES).map(([name, run]) => ({ name, run }));
  for (const { name, run } of storeContract(openForContract).concat(own)) {
    const error = await run().then(
      () => null,
      (reason: unknown) => String(reason),
    );
    console.log(JSON.stringify({ name, error }));
  }
}

async function countIn(file: string): Promise<void> {
  const kv = await openKv(file);
  const { documents } = openStore(kv);
  for (let left = 50; left > 0;) {
    const stored = await documents.get<{ n: number }>(ITEMS, "counter");
    const doc = { n: (stored?.doc.n ?? 0) + 1 };
    if (await documents.put(ITEMS, "counter", doc, { score: doc.n, expectedVersion: stored?.version ?? 0 })) left--;
  }
  const stored = await documents.get<{ n: number }>(ITEMS, "counter");
  console.log(JSON.stringify({ n: stored?.doc.n, count: await documents.count(ITEMS, { max: 9 }) }));
  kv.close();
}

await (args[0] === undefined ? runCases() : countIn(args[0]));
