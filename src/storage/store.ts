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
  /** Whether the store is above its limit and the oldest session has to go. Always false where a disk is the limit. */
  isFull(): boolean;
  /** Waits for writes under way. The storage itself stays open: who made it disposes it. */
  close(): Promise<void>;
}

/** As `DocumentStore.put`, with blobs by their keys. */
export type PutWithBlobs = (
  collection: string,
  id: string,
  doc: unknown,
  options: PutOptions,
  blobs: ReadonlyMap<string, Uint8Array>,
) => Promise<boolean>;
