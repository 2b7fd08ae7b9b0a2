import type { BlobStore } from "./blobs.ts";
import type { Cursor, DocumentStore, PageQuery, StoredDocument } from "./documents.ts";
import { createItems, type Place } from "./items.ts";
import { createSortedIndex, type SortedIndex } from "./sorted-index.ts";
import { createStorageBlobs } from "./storage-blobs.ts";
import type { Store } from "./store.ts";

interface Entry {
  readonly doc: unknown;
  readonly version: number;
  readonly bytes: number;
}

/** What a document costs beside its text: map entry, place in the order, terms. */
const ENTRY_BYTES = 250;

interface Collection {
  readonly entries: Map<string, Entry>;
  readonly index: SortedIndex;
}

/** Documents in this process, blobs in the memory driver: for tests and first steps. One process, gone at restart. */
export function createMemoryStore(place: Place, maxBytes: number): Store {
  const documents = createMemoryDocuments();
  const blobs = createCountedBlobs(createStorageBlobs(createItems(place)));
  let schema: number | null = null;
  return {
    documents,
    blobs,
    about: { name: "memory", writers: "one process", durability: "none" },
    schemaVersion: async (initial) => (schema ??= initial),
    check: async () => [
      {
        level: "warning",
        what: "Everything is kept in memory and gone at restart.",
        remedy: "Give options.storage, or --storage.",
      },
    ],
    isFull: () => documents.byteCount() + blobs.byteCount() > maxBytes,
    close: async () => {},
  };
}

/** The document port over a map and a sorted index per collection. */
export function createMemoryDocuments(): DocumentStore & { byteCount(): number } {
  const collections = new Map<string, Collection>();
  let bytes = 0;

  function open(name: string): Collection {
    let collection = collections.get(name);
    if (!collection) collections.set(name, (collection = { entries: new Map(), index: createSortedIndex() }));
    return collection;
  }

  function get<T>(collection: string, id: string): StoredDocument<T> | null {
    const { entries, index } = open(collection);
    const entry = entries.get(id);
    return entry ? { id, doc: entry.doc as T, version: entry.version, score: index.get(id)!.score } : null;
  }

  return {
    byteCount: () => bytes,
    get: async (collection, id) => get(collection, id),
    getMany: async (collection, ids) => ids.map((id) => get(collection, id)),
    async put(name, id, doc, { score, terms = [], expectedVersion }) {
      const { entries, index } = open(name);
      const old = entries.get(id);
      if ((old?.version ?? 0) !== expectedVersion) return false;
      const size = JSON.stringify(doc).length + id.length + ENTRY_BYTES;
      bytes += size - (old?.bytes ?? 0);
      entries.set(id, { doc, version: expectedVersion + 1, bytes: size });
      index.set(id, score, new Set([...(index.get(id)?.terms ?? []), ...terms]));
      return true;
    },
    async remove(name, id) {
      const { entries, index } = open(name);
      bytes -= entries.get(id)?.bytes ?? 0;
      entries.delete(id);
      index.delete(id);
    },
    async page<T>(name: string, query: PageQuery) {
      const found = open(name).index.take({ ...query, limit: query.limit + 1 });
      const items = found.slice(0, query.limit).map(({ id }) => get<T>(name, id)!);
      return { items, cursor: cursorAt(found, query.limit) };
    },
    count: async (name, query) => open(name).index.count(query),
  };
}

/** Where the next page begins, where one place more than the limit was found. */
function cursorAt(found: readonly Cursor[], limit: number): Cursor | null {
  const tail = found[limit - 1];
  return tail && found.length > limit ? { score: tail.score, id: tail.id } : null;
}

const KEYS_PER_PAGE = 1_000;

/** Keeps count of the bytes, and of the keys of each session, so that neither has to be looked for. */
function createCountedBlobs(blobs: BlobStore): BlobStore & { byteCount(): number } {
  const groups = new Map<string, Map<string, number>>();
  let total = 0;

  function forget(key: string): void {
    const group = groups.get(groupOf(key));
    total -= group?.get(key) ?? 0;
    group?.delete(key);
    if (group?.size === 0) groups.delete(groupOf(key));
  }

  /** The groups that keys with this prefix may be in, by name. A session's prefix is the name of its group. */
  function groupsUnder(prefix: string): string[] {
    if (prefix.split(":").length === 4) return [prefix];
    return [...groups.keys()].filter((name) => name.startsWith(prefix) || prefix.startsWith(name)).sort();
  }

  function keysIn(group: string, prefix: string): string[] {
    return [...(groups.get(group)?.keys() ?? [])].filter((key) => key.startsWith(prefix));
  }

  return {
    ...blobs,
    byteCount: () => total,
    async create(key, bytes) {
      const name = groupOf(key);
      let group = groups.get(name);
      if (group?.has(key)) return;
      if (!group) groups.set(name, (group = new Map()));
      group.set(key, bytes.byteLength);
      total += bytes.byteLength;
      await blobs.create(key, bytes);
    },
    async remove(key) {
      forget(key);
      await blobs.remove(key);
    },
    async removeAll(prefix) {
      for (const group of groupsUnder(prefix)) {
        const keys = keysIn(group, prefix);
        for (const key of keys) forget(key);
        for (const key of keys) await blobs.remove(key);
      }
    },
    /** Whole groups a page, so that what is removed meanwhile shifts nothing. */
    async list(prefix, cursor) {
      const keys: string[] = [];
      for (const group of groupsUnder(prefix)) {
        if (cursor !== null && group <= cursor) continue;
        keys.push(...keysIn(group, prefix));
        if (keys.length >= KEYS_PER_PAGE) return { keys, cursor: group };
      }
      return { keys, cursor: null };
    },
  };
}

/** Kind, project and session of a key, as in `batches:main:0f3c:`. */
function groupOf(key: string): string {
  return key.split(":").slice(0, -1).slice(0, 3).join(":") + ":";
}
