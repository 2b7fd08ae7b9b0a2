import { SentieroError } from "../errors.ts";
import type { BlobStore } from "./blobs.ts";
import type { DocumentStore } from "./documents.ts";
import type { Store } from "./store.ts";

/** The schema that this code writes; it reads this one and older ones. */
export const SCHEMA_VERSION = 1;

/** Another process may raise the schema while this one runs, so it is looked at again after this long. */
const RECHECK_MS = 30_000;

/**
 * A store that is read whatever its schema, and written only while this code knows it: a process of an older version
 * that goes on writing would strip fields that it has never heard of. Writes throw STORAGE_NEWER then, which is 503.
 */
export function guardSchema(store: Store, clock: () => number): Store {
  let checkedAt = -Infinity;
  let checking: Promise<void> | null = null;

  async function check(): Promise<void> {
    const found = await store.schemaVersion(SCHEMA_VERSION);
    if (found > SCHEMA_VERSION) {
      throw new SentieroError(
        "STORAGE_NEWER",
        `the store was written by a newer sentiero (schema ${found}, this one knows ${SCHEMA_VERSION}): upgrade this process`,
      );
    }
    checkedAt = clock();
  }

  /** One question for all writes that wait for its answer. */
  function writable(): Promise<void> | undefined {
    if (Math.abs(clock() - checkedAt) < RECHECK_MS) return undefined;
    return (checking ??= check().finally(() => (checking = null)));
  }

  /** The method behind the check; without a turn of the event loop while the last check holds. */
  function guarded<A extends readonly unknown[], R>(write: (...args: A) => Promise<R>): (...args: A) => Promise<R> {
    return (...args) => {
      const waiting = writable();
      return waiting ? waiting.then(() => write(...args)) : write(...args);
    };
  }

  const { documents, blobs, putWithBlobs } = store;
  const guardedDocuments: DocumentStore = {
    get: (...args) => documents.get(...args),
    getMany: (...args) => documents.getMany(...args),
    page: (...args) => documents.page(...args),
    count: (...args) => documents.count(...args),
    put: guarded((...args) => documents.put(...args)),
    remove: guarded((...args) => documents.remove(...args)),
  };
  const guardedBlobs: BlobStore = {
    get: (key) => blobs.get(key),
    has: (key) => blobs.has(key),
    list: (...args) => blobs.list(...args),
    create: guarded((...args) => blobs.create(...args)),
    remove: guarded((key) => blobs.remove(key)),
    removeAll: guarded((prefix) => blobs.removeAll(prefix)),
  };
  return {
    ...(store.scrub && { scrub: guarded(() => store.scrub!()) }),
    about: store.about,
    documents: guardedDocuments,
    blobs: guardedBlobs,
    ...(putWithBlobs && { putWithBlobs: guarded((...args) => putWithBlobs(...args)) }),
    schemaVersion: (initial) => store.schemaVersion(initial),
    check: () => store.check(),
    isFull: () => store.isFull(),
    close: () => store.close(),
  };
}
