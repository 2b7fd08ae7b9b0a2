import { EventType } from "../src/rrweb/events.ts";
import type { RecordedEvent } from "../src/types.ts";

const MAX_EVENTS = 10_000;
const MAX_BYTES = 4_000_000;

/** The newest events, in memory: two halves that each begin with a full snapshot, of which the older one goes. */
export interface HeldEvents {
  /** True when a half is full: a new one begins with the next full snapshot. */
  push(event: RecordedEvent): boolean;
  /** All that is held, oldest first. */
  take(): RecordedEvent[];
}

/**
 * Holds events for between one and two times `halfMs`, at most 10,000 events and about 4 MB. A page that alone needs more is
 * not held at all until its next snapshot.
 */
export function createHeldEvents(halfMs: number, maxBytes: number = MAX_BYTES): HeldEvents {
  let older: RecordedEvent[] = [];
  let newer: RecordedEvent[] = [];
  let olderBytes = 0;
  let newerBytes = 0;
  let startedAt: number | null = null;
  /** What was given up can't be played on from. */
  let waitsForSnapshot = false;

  return {
    push(event) {
      const at = Number(event.timestamp) || 0;
      startedAt ??= at;
      const isFull = at - startedAt >= halfMs;
      if (event.type === EventType.Meta && (isFull || waitsForSnapshot)) {
        [older, olderBytes] = [newer, newerBytes];
        [newer, newerBytes] = [[], 0];
        startedAt = at;
        waitsForSnapshot = false;
      }
      if (waitsForSnapshot) return isFull;
      if (at - Number(older.at(-1)?.timestamp) > halfMs) dropOlder();
      newer.push(event);
      newerBytes += sizeOf(event.data);
      if (isOver()) dropOlder();
      if (isOver()) {
        [newer, newerBytes] = [[], 0];
        waitsForSnapshot = true;
      }
      return isFull && event.type !== EventType.Meta;
    },
    take: () => [...older.splice(0), ...newer.splice(0)],
  };

  function dropOlder(): void {
    [older, olderBytes] = [[], 0];
  }

  function isOver(): boolean {
    return olderBytes + newerBytes > maxBytes || older.length + newer.length > MAX_EVENTS;
  }
}

/** About the bytes that a value takes in memory; much cheaper than writing it as JSON. */
function sizeOf(value: unknown): number {
  if (typeof value === "string") return value.length + 16;
  if (typeof value !== "object" || value === null) return 8;
  let size = 32;
  for (const name in value) size += 8 + sizeOf((value as Record<string, unknown>)[name]);
  return size;
}
