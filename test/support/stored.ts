import { createStorage, type Storage } from "unstorage";
import type { Sentiero, SentieroOptions } from "../../src/index.ts";
import { inflateStored } from "./inflate.ts";
import { createTestSentiero } from "./sentiero.ts";

/** A blob as it lies in the storage. */
export interface StoredBlob {
  readonly key: string;
  readonly bytes: Uint8Array;
  /** Inflated. */
  readonly text: string;
}

/** A sentiero whose storage can be looked into. */
export function createInspectedSentiero(options: SentieroOptions = {}): {
  sentiero: Sentiero;
  storage: Storage;
  errors: unknown[];
  blobs: () => StoredBlob[];
  /** Everything that is kept, in plain and inflated. */
  everything: () => string;
} {
  const storage = createStorage();
  const errors: unknown[] = [];
  const onError = (error: unknown): void => void errors.push(error);
  const sentiero = createTestSentiero({ storage, onError, ...options } as SentieroOptions);
  const data = storage.getMount("").driver.getInstance!() as Map<string, Uint8Array>;
  const blobs = () =>
    [...data].map(([key, bytes]) => ({
      key,
      bytes,
      // When it is asked for: a test may have spoiled it.
      get text() {
        return inflateStored(bytes).toString("utf8");
      },
    }));
  const everything = () =>
    blobs()
      .map(({ bytes, text }) => `${text}\n${Buffer.from(bytes).toString("latin1")}`)
      .join("\n");
  return { sentiero, storage, errors, blobs, everything };
}
