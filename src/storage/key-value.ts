import type { Platform } from "../platform.ts";
import type { DocumentPage, DocumentStore, PageQuery, StoredDocument } from "./documents.ts";
import { forEachOf, type Items } from "./items.ts";
import { toKeyPart } from "./keys.ts";
import { createOrder, type Order } from "./key-value-order.ts";
import { createSlots, type Envelope, type Label } from "./slots.ts";
import { OWN_KINDS } from "./storage-blobs.ts";
import type { Finding } from "./store.ts";

/** What is known about the driver. */
export interface KeyValueOptions {
  readonly isAtomic: boolean;
  readonly maxValueBytes: number;
  readonly platform: Pick<Platform, "sha256">;
}

/** Documents in a driver that has keys and values only. */
export interface KeyValueDocuments extends DocumentStore {
  schemaVersion(initial: number): Promise<number>;
  check(): Promise<readonly Finding[]>;
  /** Takes what was removed out of the index too. */
  scrub(): Promise<void>;
  /** Waits for index work under way. */
  drained(): Promise<void>;
}

/**
 * What this process has written so lately is not read again to be changed. Longer would hide what another process
 * writes while one takes over from the other.
 */
const FRESH_MS = 2_000;
const MAX_FRESH = 1_000;

interface Fresh {
  readonly label: Label;
  readonly at: number;
}

/**
 * Documents for **one writer process**: compare-and-set is a lock in this process, and the order of a collection is an
 * index in its memory, kept as small append-only items beside the documents. An index entry is written before its
 * document, so that a crash leaves at most an entry without one, which is found and dropped. Other processes may read.
 *
 * | key | what |
 * |---|---|
 * | `documents:PROJECT:COLLECTION:ID` | a document with version, score and terms (`.0` and `.1` where writes are not atomic) |
 * | `documents-order:PROJECT:COLLECTION:…` | index entries |
 * | `documents-meta:schema` | the schema |
 */
export function createKeyValueDocuments(
  items: Items,
  { isAtomic, maxValueBytes, platform }: KeyValueOptions,
): KeyValueDocuments {
  const slots = createSlots(items, isAtomic);
  const orders = new Map<string, Promise<Order>>();
  const fresh = new Map<string, Fresh>();
  const lock = createLocks();

  async function collectionKey(collection: string): Promise<string> {
    const parts = await Promise.all(collection.split("/").map((part) => toKeyPart(part, platform)));
    return parts.join(":");
  }

  async function documentKey(collection: string, id: string): Promise<string> {
    return `${OWN_KINDS.documents}:${await collectionKey(collection)}:${await toKeyPart(id, platform)}`;
  }

  const read = async (collection: string, id: string) => slots.read(await documentKey(collection, id), id);

  /** What is there now, for a change under the document's lock. */
  async function readCurrent(key: string, id: string): Promise<Label | null> {
    const known = fresh.get(key);
    const isFresh = known?.label.id === id && Math.abs(Date.now() - known.at) < FRESH_MS;
    return isFresh ? known.label : slots.read(key, id);
  }

  function remember(key: string, label: Label): void {
    fresh.delete(key);
    if (fresh.size >= MAX_FRESH) fresh.delete(fresh.keys().next().value!);
    fresh.set(key, { label, at: Date.now() });
  }

  function openOrder(collection: string): Promise<Order> {
    let order = orders.get(collection);
    if (!order) {
      const opening = (async () => {
        const name = await collectionKey(collection);
        return createOrder(items, `${OWN_KINDS.order}:${name}:`, {
          maxValueBytes,
          read: (id) => read(collection, id),
          async inspect(id, task) {
            const key = await documentKey(collection, id);
            return lock(key, async () => task(await slots.read(key, id)));
          },
          readAll: () => readAll(`${OWN_KINDS.documents}:${name}:`),
          toTerm: (term) => toTerm(term, platform),
        });
      })();
      orders.set(collection, (order = opening));
      // A driver that fails once is asked again.
      opening.catch(() => orders.delete(collection));
    }
    return order;
  }

  /** Every document under a prefix: only where the index is lost. */
  async function* readAll(prefix: string): AsyncGenerator<Envelope> {
    const seen = new Set<string>();
    let cursor: string | null = null;
    do {
      const page: Awaited<ReturnType<Items["list"]>> = await items.list(prefix, cursor);
      const keys = page.keys.map(slots.keyOf).filter((key) => !seen.has(key) && seen.add(key));
      const found = await forEachOf(keys, (key) => slots.read(key));
      yield* found.filter((envelope) => envelope !== null);
      cursor = page.cursor;
    } while (cursor !== null);
  }

  return {
    async get<T>(collection: string, id: string) {
      const envelope = await read(collection, id);
      return envelope && toStored<T>(envelope);
    },

    getMany: <T>(collection: string, ids: readonly string[]) =>
      forEachOf(ids, async (id) => {
        const envelope = await read(collection, id);
        return envelope && toStored<T>(envelope);
      }),

    async put(collection, id, doc, { score, terms = [], expectedVersion }) {
      const key = await documentKey(collection, id);
      // Written out now: the caller may change the document while we wait.
      const json = JSON.stringify(doc);
      return lock(key, async () => {
        const old = await readCurrent(key, id);
        if ((old?.version ?? 0) !== expectedVersion) return false;
        const label = {
          id,
          version: expectedVersion + 1,
          score,
          terms: [...new Set([...(old?.terms ?? []), ...terms])],
        };
        const isInPlace = old?.score === score && old.terms.length === label.terms.length;
        const order = await openOrder(collection);
        const settle = isInPlace ? null : await order.announce({ id, next: label });
        try {
          await slots.write(key, label, json);
        } catch (error) {
          // It may be there or not: the index asks before it is used again.
          fresh.delete(key);
          settle?.(false);
          order.doubt(id);
          throw error;
        }
        remember(key, label);
        settle?.(true);
        return true;
      });
    },

    async remove(collection, id) {
      const key = await documentKey(collection, id);
      await lock(key, async () => {
        fresh.delete(key);
        if (!(await slots.read(key, id))) return;
        const order = await openOrder(collection);
        const settle = await order.announce({ id, next: null });
        try {
          await slots.remove(key);
        } catch (error) {
          settle(false);
          order.doubt(id);
          throw error;
        }
        settle(true);
      });
    },

    async page<T>(collection: string, query: PageQuery): Promise<DocumentPage<T>> {
      const order = await openOrder(collection);
      await order.refresh();
      const found: StoredDocument<T>[] = [];
      let after = query.after;
      for (;;) {
        const wanted = query.limit - found.length;
        const places = await order.take({ ...query, after, limit: wanted + 1 });
        const page = places.slice(0, wanted);
        const envelopes = await forEachOf(page, ({ id }) => read(collection, id));
        for (const [index, envelope] of envelopes.entries()) {
          const place = page[index]!;
          if (envelope?.score === place.score) found.push(toStored<T>(envelope));
          // Moved or removed while we read it, or a crash has left the entry alone.
          else if (order.scoreOf(place.id) === place.score) order.doubt(place.id);
        }
        const tail = page.at(-1);
        if (places.length <= wanted || !tail) return { items: found, cursor: null };
        after = { score: tail.score, id: tail.id };
        if (found.length >= query.limit) return { items: found, cursor: after };
      }
    },

    async count(collection, query) {
      const order = await openOrder(collection);
      await order.refresh();
      return order.count(query);
    },

    schemaVersion(initial) {
      const key = `${OWN_KINDS.meta}:schema`;
      return lock(key, async () => {
        const found = await slots.read(key, "schema");
        if (found) return found.score;
        await slots.write(key, { id: "schema", version: 1, score: initial, terms: [] }, "null");
        return initial;
      });
    },

    async check() {
      const opened = await Promise.all(orders.values());
      const others = await Promise.all(opened.map((order) => order.hasOtherWriter()));
      if (!others.includes(true)) return [];
      return [
        {
          level: "error",
          what: "Another process writes documents into the same storage, which keeps them safe from one process only.",
          remedy: "Run one process, or keep documents in SQLite, PostgreSQL, MySQL, D1 or Redis.",
        },
      ];
    },

    async scrub() {
      for (const order of orders.values()) await (await order).scrub();
    },

    async drained() {
      await lock.drained();
      await Promise.all([...orders.values()].map(async (order) => (await order).drained()));
    },
  };
}

function toStored<T>({ id, doc, version, score }: Envelope): StoredDocument<T> {
  return { id, doc: doc as T, version, score };
}

/** In the index a term is a digest: entries outlive the document for a while, and may not name a person then. */
async function toTerm(term: string, platform: Pick<Platform, "sha256">): Promise<string> {
  const text = /\p{Surrogate}/u.test(term) ? `\u0000${JSON.stringify(term)}` : term;
  return (await platform.sha256(text)).slice(0, 16);
}

/** One task at a time for each key. */
function createLocks(): { <T>(key: string, task: () => Promise<T>): Promise<T>; drained(): Promise<void> } {
  const tails = new Map<string, Promise<unknown>>();

  function lock<T>(key: string, task: () => Promise<T>): Promise<T> {
    const result = (tails.get(key) ?? Promise.resolve()).then(task, task);
    const tail = result.then(
      () => {},
      () => {},
    );
    tails.set(key, tail);
    void tail.then(() => {
      if (tails.get(key) === tail) tails.delete(key);
    });
    return result;
  }

  return Object.assign(lock, {
    async drained() {
      while (tails.size > 0) await Promise.all(tails.values());
    },
  });
}
