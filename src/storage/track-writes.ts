import type { Store } from "./store.ts";

/** A store whose `close` waits for the writes that were begun. */
export function trackWrites(store: Store): Store {
  const begun = new Set<Promise<unknown>>();

  function track<T>(write: Promise<T>): Promise<T> {
    begun.add(write);
    const forget = () => void begun.delete(write);
    write.then(forget, forget);
    return write;
  }

  const { documents, blobs, putWithBlobs } = store;
  return {
    ...store,
    documents: {
      get: documents.get,
      getMany: documents.getMany,
      page: documents.page,
      count: documents.count,
      put: (...args) => track(documents.put(...args)),
      remove: (...args) => track(documents.remove(...args)),
    },
    blobs: {
      ...blobs,
      create: (...args) => track(blobs.create(...args)),
      remove: (...args) => track(blobs.remove(...args)),
      removeAll: (...args) => track(blobs.removeAll(...args)),
    },
    ...(putWithBlobs && { putWithBlobs: (...args) => track(putWithBlobs(...args)) }),
    async close() {
      while (begun.size > 0) await Promise.allSettled(begun);
      await store.close();
    },
  };
}
