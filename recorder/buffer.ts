import { EventType } from "../src/rrweb/events.ts";
import type { RecordedEvent } from "../src/types.ts";

/** Events wait as objects until this many came, then as text; measuring each at once would do that work inside the page's own. */
const MEASURE_EVERY = 50;

/** One recorded event as JSON. */
export interface Entry {
  readonly json: string;
  /** Epoch ms. */
  readonly at: number;
  readonly type: unknown;
}

/** Events of one run that are not on their way yet, in the order in which they were recorded. */
export interface Buffer {
  readonly count: number;
  /** Characters of JSON, without the newest events, which were not measured yet. */
  readonly chars: number;
  push(event: RecordedEvent): void;
  /** Removes the first events, as many as fit into `maxChars`; at least one if there is any. */
  take(maxChars: number): Entry[];
  /** All events, in order. */
  peek(): readonly Entry[];
  /** Removes exactly these. */
  remove(entries: readonly Entry[]): void;
  /** Puts events back before all others. */
  putBack(entries: readonly Entry[]): void;
}

/** An empty buffer. */
export function createBuffer(): Buffer {
  let entries: Entry[] = [];
  let fresh: RecordedEvent[] = [];
  let chars = 0;

  function measure(): void {
    for (const event of fresh) {
      const json = toJson(event);
      if (json === undefined) continue;
      const at = typeof event.timestamp === "number" && Number.isFinite(event.timestamp) ? event.timestamp : 0;
      entries.push({ json, at, type: event.type });
      chars += json.length;
    }
    fresh = [];
  }

  function replace(kept: Entry[]): void {
    entries = kept;
    chars = charsOf(kept);
  }

  return {
    get count() {
      return entries.length + fresh.length;
    },
    get chars() {
      return chars;
    },
    push(event) {
      fresh.push(event);
      if (fresh.length >= MEASURE_EVERY || event.type === EventType.FullSnapshot) measure();
    },
    take(maxChars) {
      measure();
      let end = 0;
      let taken = 0;
      for (const entry of entries) {
        taken += entry.json.length + 1;
        if (end > 0 && taken > maxChars) break;
        end++;
      }
      const first = entries.slice(0, end);
      replace(entries.slice(end));
      return first;
    },
    peek() {
      measure();
      return entries;
    },
    remove(gone) {
      const set = new Set(gone);
      replace(entries.filter((entry) => !set.has(entry)));
    },
    putBack(first) {
      measure();
      replace([...first, ...entries]);
    },
  };
}

/** Characters of JSON. */
export function charsOf(entries: readonly Entry[]): number {
  return entries.reduce((sum, entry) => sum + entry.json.length, 0);
}

function toJson(event: RecordedEvent): string | undefined {
  try {
    return JSON.stringify(event);
  } catch {
    return undefined;
  }
}
