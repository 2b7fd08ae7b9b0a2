import type { BatchSummary } from "../types.ts";
import type { BatchDigest } from "./digest.ts";
import type { IndexPage, IndexRow, SessionDocument } from "./document.ts";
import { compareRows } from "./merge.ts";

/** What the key of a segment begins with. */
export const SEGMENT_PREFIX = "segment-";

/** Names a batch within its window: run, number and content, so that two bodies under one number are two blobs. */
export function batchKey({ run, seq, hash }: Pick<BatchDigest, "run" | "seq" | "hash">): string {
  return run ? `${run}-${seq}-${hash}` : `loose-${hash}`;
}

/**
 * The batches of one window in the order of replay: runs by their first event, within a run by number; batches without
 * a number by their first event. Of two under one number the first is played, the other is flagged.
 */
export function toBatchList(document: SessionDocument, index: readonly IndexPage[], windowId: string): BatchSummary[] {
  const rowsByRun = new Map<string, IndexRow[]>();
  const window = document.windows.find(({ id }) => id === windowId);
  for (const run of window?.runs ?? []) rowsByRun.set(run.id, [...run.rows]);
  for (const page of index) if (page.window === windowId) rowsByRun.get(page.run)?.push(...page.rows);
  return (window?.runs ?? [])
    .toSorted((a, b) => a.first - b.first || (a.id < b.id ? -1 : 1))
    .flatMap(({ id }) => toSummaries(id, rowsByRun.get(id) ?? []));
}

function toSummaries(run: string, rows: IndexRow[]): BatchSummary[] {
  // What lies in a segment is played as that segment.
  const stored = rows.filter(([, , , , , bytes]) => bytes > 0);
  const sorted = stored.sort(run ? compareRows : (a, b) => a[2] - b[2] || compareRows(a, b));
  const taken = new Set(rows.filter(([, , , , , bytes, , isSegment]) => bytes === 0 && !isSegment).map(([seq]) => seq));
  return sorted.map(([seq, hash, firstAt, lastAt, eventCount, byteCount, hasFullSnapshot, isSegment]) => {
    const isConflict = run !== "" && !isSegment && taken.has(seq);
    if (!isSegment) taken.add(seq);
    return {
      key: isSegment ? SEGMENT_PREFIX + hash : batchKey({ run, seq, hash }),
      run,
      seq,
      firstAt,
      lastAt,
      eventCount,
      byteCount,
      hasFullSnapshot: hasFullSnapshot === 1,
      isConflict,
    };
  });
}
