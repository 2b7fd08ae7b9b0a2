import { EventType } from "../src/rrweb/events.ts";
import type { BatchSummary, RecordedEvent } from "../src/types.ts";
import { activityOf, idleGaps, joinActivity, type Activity } from "./activity.ts";
import type { ActivityItem } from "./activity-item.ts";
import { playableUntil } from "./loading-plan.ts";
import { createNodeNames } from "./node-names.ts";
import type { RecorderCost } from "./recorder-cost.ts";
import type { TimeRange } from "./recording-stretches.ts";

/** One window's recording while its batches come in. Times are ms since its first event. */
export interface Recording {
  readonly batches: readonly BatchSummary[];
  /** Epoch ms of the first event; 0 where no event carries a time. */
  readonly startAt: number;
  readonly durationMs: number;
  /** Whether there is a page to draw. */
  readonly hasPage: boolean;
  readonly totalBytes: number;
  /** Bytes of the batches that came, or were given up. */
  readonly loadedBytes: number;
  readonly loadedBatches: number;
  /** Batches that could not be had. */
  readonly failedBatches: number;
  readonly isComplete: boolean;
  /** Takes in a batch by its place in `batches`; null says that it could not be had. */
  take(index: number, events: readonly RecordedEvent[] | null): void;
  /** Until when it can be played on from a time; null where it can't even stand there yet. */
  playableUntil(timeMs: number): number | null;
  /** What is known of it so far. */
  read(): RecordingContent;
}

/** What is known of a recording so far. */
export interface RecordingContent {
  /** In order of time. */
  readonly items: readonly ActivityItem[];
  readonly gaps: readonly TimeRange[];
  /** When nothing was recorded between two parts. */
  readonly pauses: readonly TimeRange[];
  readonly cost: RecorderCost | null;
  readonly loaded: readonly TimeRange[];
}

/** Starts with nothing loaded. `batches` are those that are played, in the order of replay. */
export function createRecording(batches: readonly BatchSummary[]): Recording {
  const parts: (Activity | undefined)[] = [];
  const taken = new Set<number>();
  let names = createNodeNames();
  let namedUpTo = -1;
  let loadedBytes = 0;
  let failedBatches = 0;

  const times = batches.flatMap((batch) => [batch.firstAt, batch.lastAt]).filter((at) => at > 0);
  const startAt = times.reduce((first, at) => Math.min(first, at), times[0] ?? 0);
  const endAt = times.reduce((last, at) => Math.max(last, at), startAt);
  const toReplay = ({ from, to }: TimeRange): TimeRange => ({ from: from - startAt, to: to - startAt });

  return {
    batches,
    startAt,
    durationMs: endAt - startAt,
    hasPage: batches.some((batch) => batch.hasFullSnapshot),
    totalBytes: batches.reduce((sum, batch) => sum + batch.byteCount, 0),
    get loadedBytes() {
      return loadedBytes;
    },
    get loadedBatches() {
      return taken.size;
    },
    get failedBatches() {
      return failedBatches;
    },
    get isComplete() {
      return taken.size === batches.length;
    },
    take(index, events) {
      taken.add(index);
      loadedBytes += batches[index]?.byteCount ?? 0;
      if (!events) {
        failedBatches++;
        return;
      }
      // What an element is called is only known when nothing before is missing.
      if (index !== namedUpTo + 1) names = createNodeNames();
      namedUpTo = index;
      parts[index] = activityOf(events, names);
    },
    playableUntil(timeMs) {
      if (taken.size === batches.length) return Infinity;
      const until = playableUntil(batches, taken, startAt + timeMs);
      return until === null ? null : until - startAt;
    },
    read() {
      // What is not loaded yet counts as busy, or it would look like idle time.
      const { items, active, pauses, cost } = joinActivity(batches.map((batch, index) => parts[index] ?? busy(batch)));
      const loaded =
        taken.size === batches.length
          ? [{ from: 0, to: endAt - startAt }]
          : batches
              .filter((_, index) => taken.has(index))
              .map((batch) => toReplay({ from: batch.firstAt, to: batch.lastAt }));
      const gaps = idleGaps(active.map(toReplay), 0, endAt - startAt);
      return { items, gaps, pauses: pauses.map(toReplay), cost, loaded };
    },
  };
}

/** A recording at hand, told as the one batch that it is. */
export function summaryOf(events: readonly RecordedEvent[]): BatchSummary {
  let firstAt = 0;
  let lastAt = 0;
  for (const { timestamp } of events) {
    if (typeof timestamp !== "number" || !Number.isFinite(timestamp)) continue;
    firstAt = firstAt === 0 ? timestamp : Math.min(firstAt, timestamp);
    lastAt = Math.max(lastAt, timestamp);
  }
  const hasFullSnapshot = events.some((event) => event.type === EventType.FullSnapshot);
  return {
    key: "",
    run: "",
    seq: 0,
    firstAt,
    lastAt,
    eventCount: events.length,
    byteCount: 0,
    hasFullSnapshot,
    isConflict: false,
  };
}

function busy(batch: BatchSummary): Activity {
  const { firstAt, lastAt } = batch;
  return { items: [], active: [{ from: firstAt, to: lastAt }], marks: [{ type: "other", at: lastAt }] };
}
