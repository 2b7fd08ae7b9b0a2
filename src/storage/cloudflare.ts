import type { BlobPage } from "./blobs.ts";
import type { Items } from "./items.ts";

/** What is used of an R2 binding. */
export interface R2Bucket {
  list(options: { prefix?: string; cursor?: string; limit: number }): Promise<{
    objects: readonly { readonly key: string }[];
    truncated: boolean;
    cursor?: string;
  }>;
  delete(keys: string[]): Promise<void>;
}

/** What is used of a Workers KV binding. */
export interface KvNamespace {
  get(key: string, type: "arrayBuffer"): Promise<ArrayBuffer | null>;
  put(key: string, value: Uint8Array): Promise<void>;
  delete(key: string): Promise<void>;
  list(options: { prefix: string; cursor?: string; limit: number }): Promise<{
    keys: readonly { readonly name: string }[];
    list_complete: boolean;
    cursor?: string;
  }>;
}

const KEYS_PER_PAGE = 1_000;

/** A page of a bucket's keys; unstorage's driver ends after the first thousand. `base` is the driver's own prefix. */
export async function listBucket(
  bucket: R2Bucket,
  base: string,
  prefix: string,
  cursor: string | null,
): Promise<BlobPage> {
  const page = await bucket.list({ prefix: base + prefix, limit: KEYS_PER_PAGE, ...(cursor !== null && { cursor }) });
  return {
    keys: page.objects.map(({ key }) => key.slice(base.length)),
    cursor: page.truncated ? (page.cursor ?? null) : null,
  };
}

/** How long a place of Cloudflare's network may remember that a key was not there. */
const NEGATIVE_CACHE_MS = 60_000;
const MAX_REMEMBERED = 2_000;

/**
 * Items in Workers KV through its binding: unstorage's driver would store base64. What is written is seen elsewhere
 * after up to a minute, so this is for blobs only. A key that was written here is there for `has`, even where KV still
 * remembers that it was not.
 */
export function createKvItems(getNamespace: () => KvNamespace, base: string): Items {
  const written = new Map<string, number>();

  function remember(key: string): void {
    if (written.size >= MAX_REMEMBERED) written.delete(written.keys().next().value!);
    written.set(key, Date.now() + NEGATIVE_CACHE_MS);
  }

  async function list(prefix: string, cursor: string | null): Promise<BlobPage> {
    const options = { prefix: base + prefix, limit: KEYS_PER_PAGE, ...(cursor !== null && { cursor }) };
    const page = await getNamespace().list(options);
    return {
      keys: page.keys.map(({ name }) => name.slice(base.length)),
      cursor: page.list_complete ? null : (page.cursor ?? null),
    };
  }

  async function get(key: string): Promise<Uint8Array | null> {
    const value = await getNamespace().get(base + key, "arrayBuffer");
    return value && new Uint8Array(value);
  }

  async function remove(key: string): Promise<void> {
    written.delete(key);
    await getNamespace().delete(base + key);
  }

  return {
    get,
    async set(key, bytes) {
      await getNamespace().put(base + key, bytes);
      remember(key);
    },
    has: async (key) => (written.get(key) ?? 0) > Date.now() || (await get(key)) !== null,
    remove,
    async removeAll(prefix) {
      let cursor: string | null = null;
      do {
        const page: BlobPage = await list(prefix, cursor);
        for (const key of page.keys) await remove(key);
        cursor = page.cursor;
      } while (cursor !== null);
    },
    list,
  };
}
