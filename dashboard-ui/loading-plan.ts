import type { BatchSummary } from "../src/types.ts";

/** What the plan reads of a batch. */
export type PlannedBatch = Pick<BatchSummary, "firstAt" | "lastAt" | "hasFullSnapshot">;

/**
 * Which batch to load next so that the replay can stand at `at` (epoch ms) soonest: from the full snapshot before it
 * onwards, then whatever is left from the start. Null when nothing is left. `taken` holds indices loaded or on their way.
 */
export function nextBatch(batches: readonly PlannedBatch[], taken: ReadonlySet<number>, at: number): number | null {
  for (let index = snapshotIndex(batches, at); index < batches.length; index++) {
    if (!taken.has(index)) return index;
  }
  for (let index = 0; index < batches.length; index++) {
    if (!taken.has(index)) return index;
  }
  return null;
}

/**
 * Until when (epoch ms) the replay can play on from `at` with what is loaded: the start of the first batch that is
 * missing, `Infinity` where none is. Null when it can't even stand at `at` yet.
 */
export function playableUntil(
  batches: readonly PlannedBatch[],
  loaded: ReadonlySet<number>,
  at: number,
): number | null {
  for (let index = snapshotIndex(batches, at); index < batches.length; index++) {
    if (loaded.has(index)) continue;
    const until = batches[index]!.firstAt;
    return until > at ? until : null;
  }
  return Infinity;
}

/**
 * The last batch with a full snapshot that ends by `at`. One that only begins by then may hold its snapshot after
 * `at`, so the one before is taken.
 */
function snapshotIndex(batches: readonly PlannedBatch[], at: number): number {
  let found = -1;
  for (const [index, batch] of batches.entries()) {
    if (!batch.hasFullSnapshot) continue;
    if (found === -1 || batch.lastAt <= at) found = index;
  }
  return Math.max(found, 0);
}
