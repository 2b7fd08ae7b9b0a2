/**
 * Everything that is ever kept, by its name: the second part of a collection (`main/sessions`), or the first part of a
 * blob's key (`batches:main:…`). Erasing a person, exporting one and moving a store go by this list, so that nothing
 * that is added later can be forgotten; a test walks a store and fails on what is not registered here.
 */
export interface Kind {
  readonly name: string;
  readonly stored: "documents" | "blobs";
  /**
   * Whose it is. `session`: it goes and is exported with its session: documents by the session's id, blobs under the
   * session's prefix. `store`: it says nothing of a person and stays.
   */
  readonly of: "session" | "store";
}

export const KINDS: readonly Kind[] = [
  { name: "sessions", stored: "documents", of: "session" },
  { name: "batches", stored: "blobs", of: "session" },
  { name: "segments", stored: "blobs", of: "session" },
  { name: "indexes", stored: "blobs", of: "session" },
  // Holds the id of a session that was erased, so that nothing more of it is taken in.
  { name: "tombstones", stored: "documents", of: "store" },
  { name: "usage", stored: "documents", of: "store" },
  { name: "leases", stored: "documents", of: "store" },
  { name: "progress", stored: "documents", of: "store" },
  // What a job selected may name a person; it is dropped when the job ends.
  { name: "jobs", stored: "documents", of: "store" },
];

/** Blob kinds that go with a session. */
export const SESSION_BLOBS: readonly string[] = KINDS.filter(
  ({ stored, of }) => stored === "blobs" && of === "session",
).map(({ name }) => name);
