import type { Platform } from "../platform.ts";
import type { BlobStore } from "./blobs.ts";
import { isSameBytes } from "./bytes.ts";
import type { Items } from "./items.ts";
import type { PutWithBlobs } from "./store.ts";

/**
 * The first byte of what is not stored as it is. Blobs of ours begin with gzip's 0x1f, brotli's mark 0xce or with text; 0xf5 never occurs
 * in UTF-8. A blob that begins with it all the same, or is empty, is escaped.
 */
const MARKER = 0xf5;
const ESCAPED = 0;
const HEAD = 1;

/** What a part's key has behind the blob's key: a digest of the content, so that two writers never mix, and a number. */
const PART_KEY = /\.[0-9a-f]{16}\.\d+$/;

/** Parts under way at once: each is held in memory twice. */
const CONCURRENCY = 4;

/** What stands in a blob's place when it is stored in parts. */
interface Head {
  readonly bytes: number;
  /** The size of every part but the last. */
  readonly partBytes: number;
  /** Names this content among the parts of the key. */
  readonly digest: string;
}

/**
 * Stores blobs above a limit in parts. The parts are written before the head that names them, under keys that begin
 * with the blob's, so that removing a prefix takes them too. Their keys are some 22 bytes longer than the blob's.
 * Reading a blob whose parts are lost throws an error that names its key.
 */
export function splitBlobs(blobs: BlobStore, maxPartBytes: number, platform: Pick<Platform, "sha256">): BlobStore {
  async function join(key: string, head: Head, stored: Uint8Array): Promise<Uint8Array | null> {
    const { bytes, partBytes, digest } = head;
    const whole = new Uint8Array(bytes);
    const areWhole = await eachPart(head, async (part) => {
      const found = await blobs.get(partKey(key, digest, part));
      if (found?.length !== Math.min(partBytes, bytes - part * partBytes)) return false;
      whole.set(found, part * partBytes);
      return true;
    });
    if (!areWhole.includes(false)) return whole;
    // Whoever removes the blob takes the parts first; an item that was written again has other parts.
    const now = await blobs.get(key);
    if (!now || !isSameBytes(now, stored)) return open(key, now);
    throw new Error(
      `[sentiero] what lies under ${key} is damaged: part ${areWhole.indexOf(false) + 1} of ${areWhole.length} is lost`,
    );
  }

  async function open(key: string, stored: Uint8Array | null): Promise<Uint8Array | null> {
    if (stored?.[0] !== MARKER) return stored;
    const head = toHead(stored);
    return head ? join(key, head, stored) : stored.subarray(2);
  }

  return {
    async create(key, bytes) {
      await blobs.create(key, await toStored(blobs, key, bytes, maxPartBytes, platform));
    },
    get: async (key) => open(key, await blobs.get(key)),
    has: (key) => blobs.has(key),
    async remove(key) {
      await removeParts(blobs, key, await readHead(blobs, key));
      await blobs.remove(key);
    },
    removeAll: (prefix) => blobs.removeAll(prefix),
    async list(prefix, cursor) {
      const page = await blobs.list(prefix, cursor);
      return { ...page, keys: page.keys.filter((key) => !PART_KEY.test(key)) };
    },
  };
}

/**
 * The same for items, which are written again and again: what was there before goes with its parts once the new head
 * is there. A crash in between leaves parts that nobody names.
 */
export function splitItems(items: Items, maxPartBytes: number, platform: Pick<Platform, "sha256">): Items {
  const whole: BlobStore = { ...items, create: (key, bytes) => items.set(key, bytes) };
  const { create: _, ...split } = splitBlobs(whole, maxPartBytes, platform);
  return {
    ...split,
    async set(key, bytes) {
      const before = await readHead(whole, key);
      const stored = await toStored(whole, key, bytes, maxPartBytes, platform);
      await items.set(key, stored);
      if (before && before.digest !== toHead(stored)?.digest) await removeParts(whole, key, before);
    },
  };
}

/**
 * The same for a store that puts blobs and document in one transaction: parts first and on their own, heads within. A
 * put that is refused leaves parts that nobody names; they go with their session.
 */
export function splitPut(
  put: PutWithBlobs,
  blobs: BlobStore,
  maxPartBytes: number,
  platform: Pick<Platform, "sha256">,
): PutWithBlobs {
  return async (collection, id, doc, options, named) => {
    const stored = new Map<string, Uint8Array>();
    for (const [key, bytes] of named) stored.set(key, await toStored(blobs, key, bytes, maxPartBytes, platform));
    return put(collection, id, doc, options, stored);
  };
}

async function readHead(blobs: BlobStore, key: string): Promise<Head | null> {
  const stored = await blobs.get(key);
  return stored && toHead(stored);
}

async function removeParts(blobs: BlobStore, key: string, head: Head | null): Promise<void> {
  if (head) await eachPart(head, (part) => blobs.remove(partKey(key, head.digest, part)));
}

/** What to store under the key itself; where that is a head, its parts have been written. */
async function toStored(
  blobs: BlobStore,
  key: string,
  bytes: Uint8Array,
  maxPartBytes: number,
  platform: Pick<Platform, "sha256">,
): Promise<Uint8Array> {
  // An empty value is taken for none by some drivers.
  const isMarked = bytes.length === 0 || bytes[0] === MARKER;
  if (bytes.length + (isMarked ? 2 : 0) <= maxPartBytes) return isMarked ? prefixed(ESCAPED, bytes) : bytes;
  const digest = (await platform.sha256(bytes)).slice(0, 16);
  const head: Head = { bytes: bytes.length, partBytes: maxPartBytes, digest };
  await eachPart(head, (part) =>
    // A copy: some drivers send the whole buffer that a view lies in.
    blobs.create(partKey(key, digest, part), bytes.slice(part * maxPartBytes, (part + 1) * maxPartBytes)),
  );
  return prefixed(HEAD, new TextEncoder().encode(JSON.stringify(head)));
}

function partKey(key: string, digest: string, part: number): string {
  return `${key}.${digest}.${part}`;
}

function toHead(stored: Uint8Array): Head | null {
  if (stored[0] !== MARKER || stored[1] !== HEAD) return null;
  return JSON.parse(new TextDecoder().decode(stored.subarray(2))) as Head;
}

function prefixed(kind: number, bytes: Uint8Array): Uint8Array {
  const stored = new Uint8Array(bytes.length + 2);
  stored.set([MARKER, kind]);
  stored.set(bytes, 2);
  return stored;
}

async function eachPart<R>({ bytes, partBytes }: Head, task: (part: number) => Promise<R>): Promise<R[]> {
  const parts = Math.ceil(bytes / partBytes);
  const results: R[] = [];
  let next = 0;
  async function work(): Promise<void> {
    while (next < parts) {
      const part = next++;
      results[part] = await task(part);
    }
  }
  await Promise.all(Array.from({ length: Math.min(CONCURRENCY, parts) }, work));
  return results;
}
