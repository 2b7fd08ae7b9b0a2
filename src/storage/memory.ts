import type { Storage } from "unstorage";
import { createStorageBlobs, type BlobStore } from "./blobs.ts";
import type { CountQuery, Cursor, DocumentStore, PageQuery, StoredDocument } from "./documents.ts";
import type { Store } from "./store.ts";

interface Entry extends StoredDocument<unknown> {
  readonly terms: ReadonlySet<string>;
  readonly bytes: number;
}

/** What a document costs beside its text: map entry, place in the order, terms. */
const ENTRY_BYTES = 250;

interface Collection {
  readonly entries: Map<string, Entry>;
  /** Sorted by score, then id. */
  readonly order: Cursor[];
}

/** Documents in this process, blobs in the memory driver: for tests and first steps. One process, gone at restart. */
export function createMemoryStore(storage: Storage, maxBytes: number): Store {
  const documents = createMemoryDocuments();
  const blobs = createCountedBlobs(createStorageBlobs(storage));
  return {
    documents,
    blobs,
    isFull: () => documents.byteCount() + blobs.byteCount() > maxBytes,
    close: async () => {},
  };
}

/** The document port over a map and a sorted list per collection. */
export function createMemoryDocuments(): DocumentStore & { byteCount(): number } {
  const collections = new Map<string, Collection>();
  let bytes = 0;

  function open(name: string): Collection {
    let collection = collections.get(name);
    if (!collection) collections.set(name, (collection = { entries: new Map(), order: [] }));
    return collection;
  }

  function get<T>(collection: string, id: string): StoredDocument<T> | null {
    const entry = collections.get(collection)?.entries.get(id);
    return entry ? { id, doc: entry.doc as T, version: entry.version, score: entry.score } : null;
  }

  return {
    byteCount: () => bytes,
    get: async (collection, id) => get(collection, id),
    getMany: async (collection, ids) => ids.map((id) => get(collection, id)),
    async put(name, id, doc, { score, terms = [], expectedVersion }) {
      const { entries, order } = open(name);
      const old = entries.get(id);
      if ((old?.version ?? 0) !== expectedVersion) return false;
      const size = JSON.stringify(doc).length + id.length + ENTRY_BYTES;
      bytes += size - (old?.bytes ?? 0);
      const allTerms = new Set([...(old?.terms ?? []), ...terms]);
      entries.set(id, { id, doc, version: expectedVersion + 1, score, terms: allTerms, bytes: size });
      if (old?.score === score) return true;
      if (old) order.splice(rank(order, old), 1);
      order.splice(rank(order, { score, id }), 0, { score, id });
      return true;
    },
    async remove(name, id) {
      const { entries, order } = open(name);
      const old = entries.get(id);
      if (!old) return;
      bytes -= old.bytes;
      entries.delete(id);
      order.splice(rank(order, old), 1);
    },
    async page<T>(name: string, query: PageQuery) {
      const collection = open(name);
      const items: StoredDocument<T>[] = [];
      for (const { id } of walk(collection, query, query.order, query.after)) {
        items.push(get<T>(name, id)!);
        if (items.length > query.limit) break;
      }
      const isLast = items.length <= query.limit;
      if (!isLast) items.pop();
      const tail = items.at(-1);
      return { items, cursor: isLast || !tail ? null : { score: tail.score, id: tail.id } };
    },
    async count(name, query) {
      let count = 0;
      for (const _ of walk(open(name), query, "ascending")) if (++count >= query.max) break;
      return count;
    },
  };
}

/** The places in a range of scores, from one end or from behind a cursor, that have the term. */
function* walk(
  { entries, order }: Collection,
  { from, to, term }: Pick<CountQuery, "from" | "to" | "term">,
  direction: PageQuery["order"],
  after?: Cursor,
): Generator<Cursor> {
  const start = rank(order, { score: from ?? -Infinity, id: "" });
  const end = to === undefined ? order.length : rank(order, { score: to, id: "\uffff" });
  const hasTerm = (place: Cursor) => term === undefined || entries.get(place.id)!.terms.has(term);
  if (direction === "ascending") {
    const first = after ? Math.max(start, rankAfter(order, after)) : start;
    for (let index = first; index < end; index++) if (hasTerm(order[index]!)) yield order[index]!;
  } else {
    const last = after ? Math.min(end, rank(order, after)) : end;
    for (let index = last - 1; index >= start; index--) if (hasTerm(order[index]!)) yield order[index]!;
  }
}

/** Index of the first place that is not before `place`. */
function rank(order: readonly Cursor[], place: Cursor): number {
  let low = 0;
  let high = order.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBefore(order[middle]!, place)) low = middle + 1;
    else high = middle;
  }
  return low;
}

function rankAfter(order: readonly Cursor[], place: Cursor): number {
  const index = rank(order, place);
  const found = order[index];
  return found?.score === place.score && found.id === place.id ? index + 1 : index;
}

function isBefore(a: Cursor, b: Cursor): boolean {
  return a.score < b.score || (a.score === b.score && a.id < b.id);
}

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
      // A session's prefix is the name of its group; only other prefixes have to be looked for.
      const isGroup = prefix.split(":").length === 4;
      const names = isGroup ? [prefix] : [...groups.keys()].filter((name) => name.startsWith(prefix));
      for (const name of names) {
        const keys = [...(groups.get(name)?.keys() ?? [])].filter((key) => key.startsWith(prefix));
        for (const key of keys) forget(key);
        for (const key of keys) await blobs.remove(key);
      }
    },
  };
}

/** Kind, project and session of a key, as in `batches:main:0f3c:`. */
function groupOf(key: string): string {
  return key.split(":").slice(0, -1).slice(0, 3).join(":") + ":";
}
