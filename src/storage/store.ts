import type { BlobStore } from "./blobs.ts";
import type { DocumentStore, PutOptions } from "./documents.ts";

/** Everything that is kept, behind two ports. `open.ts` picks the implementation by the driver of the storage. */
export interface Store {
  readonly documents: DocumentStore;
  readonly blobs: BlobStore;
  /**
   * Puts a document and creates the blobs that it names in one transaction: both are kept, or neither. Missing where
   * documents and blobs share no transaction; blobs are written first there.
   */
  readonly putWithBlobs?: PutWithBlobs;
  readonly about: StoreDescription;
  /**
   * The schema that the store was written by; an empty store gets `initial`. Called before the first write and now and
   * then after it, so another process may have raised it meanwhile.
   */
  schemaVersion(initial: number): Promise<number>;
  /** What is wrong with the backend itself or its settings, for `doctor`. Empty where nothing is. */
  check(): Promise<readonly Finding[]>;
  /** Overwrites what deleted data has left behind in files and logs, as far as the backend can. Missing where it can't. */
  scrub?(): Promise<void>;
  /** Whether the store is above its limit and the oldest session has to go. Always false where a disk is the limit. */
  isFull(): boolean;
  /** Waits for writes under way. The storage itself stays open: who made it disposes it. */
  close(): Promise<void>;
}

/** What a backend promises, as the Maintenance page and `doctor` show it. */
export interface StoreDescription {
  /** A name for people, such as `PostgreSQL`. */
  readonly name: string;
  /** Which processes may write documents at once. */
  readonly writers: "any" | "one machine" | "one process";
  /** What an answered batch survives: a power cut, the end of our process, what the database's own settings say, or nothing. */
  readonly durability: "power" | "process" | "database" | "none";
}

/** One thing that is wrong, and what to do. */
export interface Finding {
  readonly level: "error" | "warning";
  /** What is wrong, in one sentence. */
  readonly what: string;
  /** What to run or set. */
  readonly remedy: string;
}

/** As `DocumentStore.put`, with blobs by their keys. */
export type PutWithBlobs = (
  collection: string,
  id: string,
  doc: unknown,
  options: PutOptions,
  blobs: ReadonlyMap<string, Uint8Array>,
) => Promise<boolean>;
