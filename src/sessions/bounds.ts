import type { BatchDigest } from "./digest.ts";
import { MAX_DOCUMENT_BYTES, MAX_RUNS, MAX_SEQ, MAX_WINDOWS, ROWS_PER_PAGE, type SessionDocument } from "./document.ts";
import { countRows, findRun, hasSeq } from "./merge.ts";

/** What a document may grow to before its rows move out, and what it may be without rows. The rest is for one more batch. */
const SPILL_BYTES = MAX_DOCUMENT_BYTES - 1_536;
const FULL_BYTES = MAX_DOCUMENT_BYTES - 3_072;

/** JSON bytes of the parts that there are many of, rounded up. */
const ROW_BYTES = 90;
const RUN_BYTES = 85;
const RANGE_BYTES = 14;
const WINDOW_BYTES = 160;
const GAP_BYTES = 130;
const BASE_BYTES = 500;

/** Whether a session can take one more batch. A full one goes on under a new id; a run under way may go on here. */
export function hasRoom(document: SessionDocument, digest: BatchDigest): boolean {
  if (digest.seq > MAX_SEQ) return false;
  const window = document.windows.find(({ id }) => id === digest.windowId);
  if (!window && document.windows.length >= MAX_WINDOWS) return false;
  const run = findRun(document, digest.windowId, digest.run);
  if (!run && (window?.runs.length ?? 0) >= MAX_RUNS) return false;
  const isNext = run !== undefined && (digest.seq < 0 || hasSeq(run, digest.seq) || hasSeq(run, digest.seq - 1));
  return isNext || estimateBytes(document) - countRows(document) * ROW_BYTES < FULL_BYTES;
}

/** Whether the rows of a document have to move to an index page. */
export function isSpillDue(document: SessionDocument): boolean {
  const rows = countRows(document);
  return rows >= ROWS_PER_PAGE || (rows > 0 && estimateBytes(document) > SPILL_BYTES);
}

/** Upper bound of a document's size as JSON, without writing it for every batch. */
function estimateBytes(document: SessionDocument): number {
  let bytes = BASE_BYTES + document.id.length + document.gaps.length * GAP_BYTES + document.indexPages.length * 19;
  // A character is up to six bytes as JSON (an escaped control character); addresses and metadata are the only free text.
  for (const page of [document.entry, document.last]) bytes += 80 + jsonBytes(page?.href ?? "");
  for (const [key, value] of document.metadata) bytes += 40 + jsonBytes(key) + jsonBytes(String(value));
  for (const { id, runs } of document.windows) {
    bytes += WINDOW_BYTES + id.length;
    for (const { seqs, rows } of runs) bytes += RUN_BYTES + seqs.length * RANGE_BYTES + rows.length * ROW_BYTES;
  }
  return bytes;
}

function jsonBytes(text: string): number {
  // eslint-disable-next-line no-control-regex
  return /^[\x20-\x7e]*$/.test(text) ? text.length + 2 : text.length * 6 + 2;
}
