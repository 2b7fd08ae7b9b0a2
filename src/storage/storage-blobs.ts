import type { BlobStore } from "./blobs.ts";
import { isSameBytes } from "./bytes.ts";
import type { Items } from "./items.ts";

/** What the key-value store keeps beside blobs in the same driver; no kind of blob has such a name. */
export const OWN_KINDS = { documents: "documents", order: "documents-order", meta: "documents-meta" } as const;

const OWN_PREFIXES = Object.values(OWN_KINDS).map((kind) => `${kind}:`);

/**
 * Blobs as items of any driver. Where `isAtomic` is false a blob that is there with the same bytes is left alone,
 * so that nobody reads it while it is written again; one that a crash left torn is written again.
 */
export function createStorageBlobs(items: Items, { isAtomic = true }: { isAtomic?: boolean } = {}): BlobStore {
  return {
    async create(key, bytes) {
      const found = isAtomic ? null : await items.get(key);
      if (found && isSameBytes(found, bytes)) return;
      await items.set(key, bytes);
    },
    get: (key) => items.get(key),
    has: (key) => items.has(key),
    remove: (key) => items.remove(key),
    removeAll: (prefix) => items.removeAll(prefix),
    async list(prefix, cursor) {
      const page = await items.list(prefix, cursor);
      return { ...page, keys: page.keys.filter((key) => !OWN_PREFIXES.some((own) => key.startsWith(own))) };
    },
  };
}
