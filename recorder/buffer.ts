import { EventType } from "../src/rrweb/events.ts";
import type { RecordedEvent } from "../src/types.ts";

/** Events wait as objects until this many came, then as text; measuring each at once would do that work inside the page's own. */
const MEASURE_EVERY = 50;

/** One recorded event as JSON. */
export interface Entry {
  readonly json: string;
  /** Of the JSON in UTF-8. */
  readonly bytes: number;
  /** Epoch ms. */
  readonly at: number;
  readonly type: unknown;
}

/** Events of one run that are not on their way yet, in the order in which they were recorded. */
export interface Buffer {
  readonly count: number;
  /** Characters of JSON, without the newest events, which were not measured yet. */
  readonly chars: number;
  /** How many of these the newest full snapshot has. */
  readonly snapshotChars: number;
  push(event: RecordedEvent): void;
  /** Removes the first events, as many as fit into `maxBytes`; at least one if there is any. */
  take(maxBytes: number): Entry[];
  /** All events, in order. */
  peek(): readonly Entry[];
  /** Puts events back before all others. */
  putBack(entries: readonly Entry[]): void;
}

/** An empty buffer. */
export function createBuffer(): Buffer {
  let entries: Entry[] = [];
  let fresh: RecordedEvent[] = [];
  let chars = 0;
  let snapshotChars = 0;

  function add(entry: Entry): void {
    entries.push(entry);
    chars += entry.json.length;
    if (entry.type === EventType.FullSnapshot) snapshotChars = entry.json.length;
  }

  function measure(): void {
    for (const event of fresh) {
      const json = toJson(event);
      if (json === undefined) continue;
      const at = typeof event.timestamp === "number" && Number.isFinite(event.timestamp) ? event.timestamp : 0;
      add({ json, bytes: byteLength(json), at, type: event.type });
    }
    fresh = [];
  }

  function replace(kept: readonly Entry[]): void {
    entries = [];
    chars = snapshotChars = 0;
    kept.forEach(add);
  }

  return {
    get count() {
      return entries.length + fresh.length;
    },
    get chars() {
      return chars;
    },
    get snapshotChars() {
      return snapshotChars;
    },
    push(event) {
      fresh.push(event);
      if (fresh.length >= MEASURE_EVERY || event.type === EventType.FullSnapshot) measure();
    },
    take(maxBytes) {
      measure();
      let end = 0;
      let taken = 0;
      for (const { bytes } of entries) {
        taken += bytes + 1;
        if (end > 0 && taken > maxBytes) break;
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
    putBack(first) {
      measure();
      replace([...first, ...entries]);
    },
  };
}

/** Bytes of a text in UTF-8, or of what was made of it. */
export function byteLength(body: string | Uint8Array): number {
  if (typeof body !== "string") return body.length;
  // Most of a page is ASCII: encoding all of it takes ten times as long as finding the rest.
  const wide = body.match(/[^\0-\x7f]+/g)?.join("") ?? "";
  return body.length - wide.length + new TextEncoder().encode(wide).length;
}

function toJson(event: RecordedEvent): string | undefined {
  try {
    return JSON.stringify(event);
  } catch {
    return undefined;
  }
}
