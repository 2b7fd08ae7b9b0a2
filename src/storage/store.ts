import type { DocumentStore } from "./documents.ts";
import type { BlobStore } from "./blobs.ts";

/** Everything that is kept, behind two ports. `open.ts` picks the implementation by the driver of the storage. */
export interface Store {
  readonly documents: DocumentStore;
  readonly blobs: BlobStore;
  /**
   * Whether writes begun in order are kept in order: a later one never survives a crash that an earlier one does not.
   * Where it is false, a blob has to be awaited before the document that names it is put.
   */
  readonly ordersWrites: boolean;
  /** Whether the store is above its limit and the oldest session has to go. Always false where a disk is the limit. */
  isFull(): boolean;
  /** Waits for writes under way. The storage itself stays open: who made it disposes it. */
  close(): Promise<void>;
}
