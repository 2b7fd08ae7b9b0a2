import { HTTPError } from "../errors.ts";
import type { DocumentStore, StoredDocument } from "./documents.ts";
import type { PutWithBlobs, Store } from "./store.ts";

/** How a document becomes another. */
export interface Change<T> {
  /**
   * The next document, or undefined to leave it as it is. Called again with the newer document when somebody else was
   * first, so it must not add up anything outside. What it throws reaches the caller, and other changes go on.
   */
  apply(doc: T | null, beside: Beside): Promise<T | undefined> | T | undefined;
}

/** What is written together with a document. */
export interface Beside {
  /** Blobs that the next document names, by their keys. */
  readonly blobs: Map<string, Uint8Array>;
  /** Words to find the document by, added to those it has. */
  readonly terms: Set<string>;
  /** Blobs of the changes that came before in the same put: the document may name them, and they are not stored yet. */
  readonly earlier: ReadonlyMap<string, Uint8Array>;
}

/** Changes documents one after the other. One per process and store. */
export interface Updater {
  /** Resolves after the put that holds the change, with the document; null when there is none and none was made. */
  update<T>(
    collection: string,
    id: string,
    change: Change<T>,
    score: (doc: T, previous: number | null) => number,
  ): Promise<T | null>;
}

/** After so many lost races the client is asked to come back. */
const MAX_TRIES = 8;

interface Waiting {
  readonly change: Change<unknown>;
  readonly score: (doc: unknown, previous: number | null) => number;
  readonly resolve: (doc: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Joins concurrent changes of one document: at most one put is in flight, what arrives meanwhile goes together into
 * the next. Sixteen writers of one document cost two puts, not sixteen races. `put` writes a document with its blobs.
 * With `isolatesRequests` each change is put by itself, because nobody may wait for what another request does.
 */
export function createUpdater(
  documents: DocumentStore,
  put: PutWithBlobs = (collection, id, doc, options) => documents.put(collection, id, doc, options),
  { isolatesRequests = false }: { isolatesRequests?: boolean } = {},
): Updater {
  const queues = new Map<string, Waiting[]>();

  async function drain(key: string, collection: string, id: string): Promise<void> {
    for (;;) {
      const group = queues.get(key)!;
      if (group.length === 0) break;
      queues.set(key, []);
      try {
        await commit(collection, id, group);
      } catch (error) {
        for (const waiting of group) waiting.reject(error);
      }
    }
    queues.delete(key);
  }

  async function commit(collection: string, id: string, group: Waiting[]): Promise<void> {
    let waiting = group;
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      if (tries > 0) await pause(tries);
      const stored = await documents.get<unknown>(collection, id);
      const next = await applyAll(waiting, stored);
      waiting = next.accepted;
      const options = {
        score: next.score,
        expectedVersion: stored?.version ?? 0,
        ...(next.beside.terms.size > 0 && { terms: [...next.beside.terms] }),
      };
      if (next.doc === (stored?.doc ?? null) || (await put(collection, id, next.doc, options, next.beside.blobs))) {
        for (const one of waiting) one.resolve(next.doc);
        return;
      }
    }
    throw new HTTPError(503, "too many writers, try again", { headers: { "retry-after": "1" } });
  }

  return {
    update(collection, id, change, score) {
      const key = `${collection}\n${id}`;
      return new Promise((resolve, reject) => {
        const waiting = { change, score, resolve, reject } as unknown as Waiting;
        if (isolatesRequests) return void commit(collection, id, [waiting]).catch(reject);
        const queue = queues.get(key);
        if (queue) return void queue.push(waiting);
        queues.set(key, [waiting]);
        void drain(key, collection, id);
      });
    },
  };
}

/** What a document becomes by the changes that are accepted; the others' callers are told at once. */
async function applyAll(
  group: readonly Waiting[],
  stored: StoredDocument<unknown> | null,
): Promise<{ doc: unknown; score: number; beside: Beside; accepted: Waiting[] }> {
  let doc = stored?.doc ?? null;
  let score = stored?.score ?? null;
  const earlier = new Map<string, Uint8Array>();
  const beside: Beside = { blobs: earlier, terms: new Set(), earlier };
  const accepted: Waiting[] = [];
  for (const one of group) {
    try {
      const own: Beside = { blobs: new Map(), terms: new Set(), earlier };
      const next = await one.change.apply(doc, own);
      if (next !== undefined) {
        doc = next;
        score = one.score(doc, score);
        for (const [key, bytes] of own.blobs) beside.blobs.set(key, bytes);
        for (const term of own.terms) beside.terms.add(term);
      }
      accepted.push(one);
    } catch (error) {
      one.reject(error);
    }
  }
  return { doc, score: score ?? 0, beside, accepted };
}

/** Full jitter: writers that collided once should not collide again. */
function pause(tries: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.random() * 5 * 2 ** tries));
}

/** Blobs first: a document never names what is not there. For stores where both share no transaction. */
export function putAfterBlobs({ documents, blobs }: Pick<Store, "documents" | "blobs">): PutWithBlobs {
  return async (collection, id, doc, options, named) => {
    for (const [key, bytes] of named) await blobs.create(key, bytes);
    return documents.put(collection, id, doc, options);
  };
}
