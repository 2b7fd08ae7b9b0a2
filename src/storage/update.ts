import { HTTPError } from "../errors.ts";
import type { DocumentStore } from "./documents.ts";

/** How a document becomes another. */
export interface Change<T> {
  /**
   * The next document, or undefined to leave it as it is. Called again with the newer document when somebody else was
   * first, so it must not add up anything outside. What it throws reaches the caller, and other changes go on.
   */
  apply(doc: T | null): Promise<T | undefined> | T | undefined;
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
 * the next. Sixteen writers of one document cost two puts, not sixteen races.
 */
export function createUpdater(documents: DocumentStore): Updater {
  const queues = new Map<string, Waiting[]>();

  async function drain(key: string, collection: string, id: string): Promise<void> {
    for (;;) {
      const group = queues.get(key)!;
      if (group.length === 0) break;
      queues.set(key, []);
      try {
        await commit(documents, collection, id, group);
      } catch (error) {
        for (const waiting of group) waiting.reject(error);
      }
    }
    queues.delete(key);
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

async function commit(documents: DocumentStore, collection: string, id: string, group: Waiting[]): Promise<void> {
  let waiting = group;
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    if (tries > 0) await pause(tries);
    const stored = await documents.get<unknown>(collection, id);
    const before = stored?.doc ?? null;
    let doc = before;
    let score = stored?.score ?? null;
    const accepted: Waiting[] = [];
    for (const one of waiting) {
      try {
        const next = await one.change.apply(doc);
        if (next !== undefined) {
          doc = next;
          score = one.score(doc, score);
        }
        accepted.push(one);
      } catch (error) {
        one.reject(error);
      }
    }
    waiting = accepted;
    const isChanged = doc !== before;
    if (
      !isChanged ||
      (await documents.put(collection, id, doc, { score: score!, expectedVersion: stored?.version ?? 0 }))
    ) {
      for (const one of waiting) one.resolve(doc);
      return;
    }
  }
  throw new HTTPError(503, "too many writers, try again", { headers: { "retry-after": "1" } });
}

/** Full jitter: writers that collided once should not collide again. */
function pause(tries: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.random() * 5 * 2 ** tries));
}
