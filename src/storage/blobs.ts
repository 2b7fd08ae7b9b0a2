import type { Storage } from "unstorage";

/**
 * Immutable bytes under a key. Keys are built by `keys.ts`: lower-case, parts joined by colons, at most 200 bytes.
 */
export interface BlobStore {
  /** Writes a blob. A key names its content, so writing it again changes nothing. */
  create(key: string, bytes: Uint8Array): Promise<void>;
  get(key: string): Promise<Uint8Array | null>;
  has(key: string): Promise<boolean>;
  /** Removes every blob whose key starts with `prefix`, which must end with a colon. Lists keys: not for a request of the public. */
  removeAll(prefix: string): Promise<void>;
  remove(key: string): Promise<void>;
}

/** Blobs in any unstorage storage, as raw values. */
export function createStorageBlobs(storage: Storage): BlobStore {
  return {
    create: (key, bytes) => storage.setItemRaw(key, bytes),
    async get(key) {
      const value: unknown = await storage.getItemRaw(key);
      return value === null || value === undefined ? null : toBytes(value);
    },
    has: (key) => storage.hasItem(key),
    async removeAll(prefix) {
      for (const key of await storage.getKeys(prefix)) await storage.removeItem(key);
    },
    remove: (key) => storage.removeItem(key),
  };
}

/** Raw values come back as Buffer, Uint8Array, ArrayBuffer, an array of numbers or base64 text, by driver. */
function toBytes(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (Array.isArray(value)) return Uint8Array.from(value as number[]);
  if (typeof value === "string") return Uint8Array.from(atob(value), (char) => char.charCodeAt(0));
  throw new TypeError(`the storage driver gave back a raw value of type ${typeof value}`);
}
