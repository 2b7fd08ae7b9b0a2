import { HTTPError } from "../errors.ts";
import type { DocumentStore, StoredDocument } from "./documents.ts";
import type { PutWithBlobs } from "./store.ts";

/** How a document becomes another. */
export interface Change<T> {
  /**
   * The next document, or undefined to leave it as it is. Called again with the newer document when somebody else was
   * first, so it must not add up anything outside. What it throws reaches the caller, and other changes go on. Blobs
   * that the next document names go into `blobs` by their keys.
   */
  apply(doc: T | null, blobs: Map<string, Uint8Array>): Promise<T | undefined> | T | undefined;
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
 */
export function createUpdater(
  documents: DocumentStore,
  put: PutWithBlobs = (collection, id, doc, options) => documents.put(collection, id, doc, options),
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
      const options = { score: next.score, expectedVersion: stored?.version ?? 0 };
      if (next.doc === (stored?.doc ?? null) || (await put(collection, id, next.doc, options, next.blobs))) {
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
): Promise<{ doc: unknown; score: number; blobs: Map<string, Uint8Array>; accepted: Waiting[] }> {
  let doc = stored?.doc ?? null;
  let score = stored?.score ?? null;
  const blobs = new Map<string, Uint8Array>();
  const accepted: Waiting[] = [];
  for (const one of group) {
    try {
      const named = new Map<string, Uint8Array>();
      const next = await one.change.apply(doc, named);
      if (next !== undefined) {
        doc = next;
        score = one.score(doc, score);
        for (const [key, bytes] of named) blobs.set(key, bytes);
      }
      accepted.push(one);
    } catch (error) {
      one.reject(error);
    }
  }
  return { doc, score: score ?? 0, blobs, accepted };
}

/** Full jitter: writers that collided once should not collide again. */
function pause(tries: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.random() * 5 * 2 ** tries));
}
