/** The part of a browser storage that the recorder uses. No method throws. */
export interface SafeStorage {
  get(key: string): string | null;
  set(key: string, value: string): void;
  remove(key: string): void;
}

/**
 * Wraps a browser storage. Where it is blocked (a sandboxed frame, cookies turned off) reading the property itself
 * throws, hence `open`. Values that can't be stored are kept in memory, for this page only.
 */
export function createSafeStorage(open: () => Storage | null | undefined): SafeStorage {
  const memory = new Map<string, string>();
  return {
    get(key) {
      const kept = memory.get(key);
      if (kept !== undefined) return kept;
      return attempt(() => open()?.getItem(key)) ?? null;
    },
    set(key, value) {
      const stored = attempt(() => {
        const storage = open();
        storage?.setItem(key, value);
        return storage !== null && storage !== undefined;
      });
      if (stored === true) memory.delete(key);
      else memory.set(key, value);
    },
    remove(key) {
      memory.delete(key);
      attempt(() => open()?.removeItem(key));
    },
  };
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
