import type { BatchDigest } from "./digest.ts";
import {
  MAX_DOCUMENT_LENGTH,
  MAX_RUNS,
  MAX_SEQ,
  MAX_WINDOWS,
  ROWS_PER_PAGE,
  type SessionDocument,
} from "./document.ts";
import { countRows } from "./merge.ts";

/** Whether a session may have one more batch, by number, window and run. A full one goes on under a new id. */
export function hasRoom(document: SessionDocument | null, { windowId, run, seq }: BatchDigest): boolean {
  if (seq > MAX_SEQ) return false;
  const window = document?.windows.find(({ id }) => id === windowId);
  if (!window) return (document?.windows.length ?? 0) < MAX_WINDOWS;
  return window.runs.length < MAX_RUNS || window.runs.some(({ id }) => id === run);
}

/** Whether a document is within its size, as JSON. */
export function isWithinSize(document: SessionDocument): boolean {
  return JSON.stringify(document).length < MAX_DOCUMENT_LENGTH;
}

/** Whether the rows of a document have to move to an index page. */
export function isSpillDue(document: SessionDocument): boolean {
  const rows = countRows(document);
  return rows >= ROWS_PER_PAGE || (rows > 0 && !isWithinSize(document));
}
