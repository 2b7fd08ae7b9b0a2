/** What recording changes of the document cost the page. Times in ms. */
export interface CostReport {
  /** Slices of work on what had changed, and their lengths; a percentile is right to a fifth. */
  readonly tasks: number;
  readonly totalMs: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly longestMs: number;
  /** Changes that the browser reported, and the time to take them in. */
  readonly records: number;
  readonly takeMs: number;
  /** Recorded events. */
  readonly events: number;
  /** Full snapshots, and the longest. */
  readonly snapshots: number;
  readonly longestSnapshotMs: number;
}

/** Four buckets an octave, from 1/64 ms up. */
const BUCKETS_PER_OCTAVE = 4;
const SMALLEST_MS = 1 / 64;
const BUCKETS = 80;

/** Counts what recording costs; a few additions a task. */
export interface Cost {
  addTask(ms: number): void;
  addRecords(count: number, ms: number): void;
  addEvent(): void;
  addSnapshot(ms: number): void;
  report(): CostReport;
}

/** Counts from zero. */
export function createCost(): Cost {
  const buckets = new Uint32Array(BUCKETS);
  let tasks = 0;
  let totalMs = 0;
  let longestMs = 0;
  let records = 0;
  let takeMs = 0;
  let events = 0;
  let snapshots = 0;
  let longestSnapshotMs = 0;

  /** The upper end of the bucket in which the share of all tasks is reached. */
  function percentile(share: number): number {
    let seen = 0;
    for (let at = 0; at < BUCKETS; at++) {
      seen += buckets[at]!;
      if (seen > 0 && seen >= tasks * share) return Math.min(SMALLEST_MS * 2 ** (at / BUCKETS_PER_OCTAVE), longestMs);
    }
    return 0;
  }

  return {
    addTask(ms) {
      tasks++;
      totalMs += ms;
      longestMs = Math.max(longestMs, ms);
      const octave = Math.ceil(Math.log2(Math.max(ms, SMALLEST_MS) / SMALLEST_MS) * BUCKETS_PER_OCTAVE);
      buckets[Math.min(octave, BUCKETS - 1)]!++;
    },
    addRecords(count, ms) {
      records += count;
      takeMs += ms;
    },
    addEvent() {
      events++;
    },
    addSnapshot(ms) {
      snapshots++;
      longestSnapshotMs = Math.max(longestSnapshotMs, ms);
    },
    report: () => ({
      tasks,
      totalMs,
      p50Ms: percentile(0.5),
      p95Ms: percentile(0.95),
      longestMs,
      records,
      takeMs,
      events,
      snapshots,
      longestSnapshotMs,
    }),
  };
}

/** Of this page. */
export const cost: Cost = createCost();
