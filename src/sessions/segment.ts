import type { Batch, RecordedEvent } from "../types.ts";

/** A segment holds at most so much when inflated: what a player has to load for one seek. */
export const MAX_SEGMENT_BYTES: number = 4 * 1024 * 1024;

/** What a segment keeps of a batch beside its events, so that nothing of it is lost. */
export interface SegmentBatch extends Omit<Batch, "events"> {
  /** First 24 hex digits of the SHA-256 of the events' JSON as it was received. */
  readonly hash: string;
  /** How many of the segment's events are its own. */
  readonly count: number;
  /** Stored bytes, as it was received. */
  readonly bytes: number;
}

/** Several batches of a window, joined when it settled; stored as JSON that `platform.compress` made small. A reader of batches reads it as one: it has `events`. */
export interface Segment {
  /** When the session's first and last batch arrived (server clock), for a document that has to be derived again. */
  readonly arrived: readonly [createdAt: number, updatedAt: number];
  readonly batches: readonly SegmentBatch[];
  /** The events of all batches, in their order. */
  readonly events: readonly RecordedEvent[];
}

/** A segment as JSON. `eventsJson` holds a list of events each. */
export function toSegmentJson({ arrived, batches }: Omit<Segment, "events">, eventsJson: readonly string[]): string {
  const events = eventsJson.map((json) => json.slice(1, -1)).filter((json) => json !== "");
  return `{"arrived":${JSON.stringify(arrived)},"batches":${JSON.stringify(batches)},"events":[${events.join(",")}]}`;
}

/** The batches that were joined, as they were uploaded. */
export function* splitSegment({ batches, events }: Segment): Generator<{ batch: Batch; hash: string; bytes: number }> {
  let start = 0;
  for (const { hash, count, bytes, ...envelope } of batches) {
    yield { batch: { ...envelope, events: events.slice(start, start + count) }, hash, bytes };
    start += count;
  }
}
