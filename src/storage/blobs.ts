/**
 * Immutable bytes under a key. Keys are built by `keys.ts`: lower-case, parts joined by colons, at most 200 bytes; the
 * first three parts are kind, project and session, as in `batches:main:0f3c:…`.
 */
export interface BlobStore {
  /** Writes a blob. A key names its content, so writing it again changes nothing. */
  create(key: string, bytes: Uint8Array): Promise<void>;
  get(key: string): Promise<Uint8Array | null>;
  has(key: string): Promise<boolean>;
  remove(key: string): Promise<void>;
  /** Removes every blob whose key starts with `prefix`, which must end with a colon. Lists keys: not for a request of the public. */
  removeAll(prefix: string): Promise<void>;
  /**
   * A page of the keys that start with `prefix`, which is empty or ends with a colon; for sweeps only. In any order: a
   * key that is there during the whole listing comes at least once. Starts with the cursor null, ends when it is null again.
   */
  list(prefix: string, cursor: string | null): Promise<BlobPage>;
}

/** Some keys, at most a few thousand, and where the listing goes on. */
export interface BlobPage {
  readonly keys: readonly string[];
  readonly cursor: string | null;
}
