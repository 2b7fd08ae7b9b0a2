import type { Driver } from "unstorage";

/** A driver over a map, under any name, so that a store takes it for that driver. */
export interface MapDriver extends Driver {
  readonly values: Map<string, Uint8Array>;
  /** How often the driver was called, by method. */
  readonly calls: Record<string, number>;
}

/** What may come between a call and the map. */
export interface MapDriverOptions {
  readonly values?: Map<string, Uint8Array>;
  /** Before each write or removal; what it throws the caller gets. `half` leaves what a killed process may leave. */
  readonly beforeWrite?: (half: () => void) => Promise<void> | void;
}

/** Opens one, empty or over values that another has left. */
export function createMapDriver(
  name: string,
  { values = new Map(), beforeWrite = () => {} }: MapDriverOptions = {},
): MapDriver {
  const calls: Record<string, number> = {};
  const count = (method: string) => (calls[method] = (calls[method] ?? 0) + 1);
  return {
    name,
    values,
    calls,
    async hasItem(key) {
      count("hasItem");
      return values.has(key);
    },
    getItem: () => {
      throw new Error("text is not used");
    },
    async getItemRaw(key) {
      count("getItemRaw");
      return values.get(key) ?? null;
    },
    async setItemRaw(key, value: Uint8Array) {
      count("setItemRaw");
      await beforeWrite(() => void values.set(key, value.slice(0, value.length / 2)));
      values.set(key, value.slice());
    },
    async removeItem(key) {
      count("removeItem");
      await beforeWrite(() => {});
      values.delete(key);
    },
    async getKeys() {
      count("getKeys");
      return [...values.keys()];
    },
    setItem: () => {
      throw new Error("text is not used");
    },
  };
}
