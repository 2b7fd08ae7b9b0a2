import type { BatchDigest } from "./digest.ts";
import {
  MAX_DOCUMENT_LENGTH,
  MAX_RUNS,
  MAX_SEQ,
  MAX_TERMS,
  MAX_WINDOWS,
  ROWS_PER_PAGE,
  type SessionDocument,
} from "./document.ts";
import { countRows } from "./merge.ts";

/** What one session may hold; undefined is no limit. */
export interface SessionLimits {
  readonly maxEventsPerSession: number | undefined;
  /** Stored bytes, as received. */
  readonly maxBytesPerSession: number | undefined;
}

/**
 * Whether a batch would lead over a limit of its session. One that has no full snapshot yet goes on until it has: it
 * could not be played.
 */
export function isOverLimit(document: SessionDocument, { events, bytes }: BatchDigest, limits: SessionLimits): boolean {
  if (document.snapshots === 0) return false;
  const { maxEventsPerSession = Infinity, maxBytesPerSession = Infinity } = limits;
  return (
    document.fullAt > 0 || document.events + events > maxEventsPerSession || document.bytes + bytes > maxBytesPerSession
  );
}

/** Whether a session may have one more batch, by number, person, window and run. A full one goes on under a new id. */
export function hasRoom(document: SessionDocument | null, { windowId, run, seq, userTerm }: BatchDigest): boolean {
  if (seq > MAX_SEQ) return false;
  if (document && userTerm && document.terms.length >= MAX_TERMS && !document.terms.includes(userTerm)) return false;
  const window = document?.windows.find(({ id }) => id === windowId);
  if (!window) return (document?.windows.length ?? 0) < MAX_WINDOWS;
  return window.runs.length < MAX_RUNS || window.runs.some(({ id }) => id === run);
}

/** What a merged document needs before it may be kept: nothing, its rows moved to an index page, or another session. */
export function checkSize(document: SessionDocument): "fits" | "spill" | "full" {
  const rows = countRows(document);
  if (rows >= ROWS_PER_PAGE) return "spill";
  if (boundLength(document) < MAX_DOCUMENT_LENGTH || JSON.stringify(document).length < MAX_DOCUMENT_LENGTH)
    return "fits";
  return rows > 0 ? "spill" : "full";
}

/** No JSON of this document is longer; most are far below the limit, and writing one for every batch would be felt. */
function boundLength({
  entry,
  last,
  metadata,
  metadataEnd,
  terms,
  gaps,
  windows,
  indexPages,
}: SessionDocument): number {
  // Numbers are up to 24 characters, ids up to 128. What a page or a batch may name is measured.
  let length = 1_600 + gaps.length * 320 + indexPages.length * 20;
  length += JSON.stringify([entry, last, metadataEnd, terms]).length;
  for (const [, , , size] of metadata) length += size;
  for (const { runs } of windows) {
    length += 400;
    for (const { seqs, rows } of runs) length += 150 + seqs.length * 16 + rows.length * 130;
  }
  return length;
}
