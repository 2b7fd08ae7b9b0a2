import type { Gap } from "../src/types.ts";
import type { Entry } from "./buffer.ts";
import { StorageKey } from "./keys.ts";
import type { SafeStorage } from "./storage.ts";

/** What giving these events up has to be reported as; nothing for none. */
export function toGaps(entries: readonly Entry[], reason: Gap["reason"]): Gap[] {
  if (entries.length === 0) return [];
  const times = entries.map((entry) => entry.at).filter((at) => at > 0);
  return [
    {
      reason,
      events: entries.length,
      from: times.reduce((first, at) => Math.min(first, at), times[0] ?? 0),
      to: times.reduce((last, at) => Math.max(last, at), 0),
    },
  ];
}

/** The server takes 20 gaps in one upload: these, and one for each reason. */
const MAX_NAMED = 16;

/**
 * Joins gaps so that there is at most one for each upload and reason, the oldest first. Of more than 16 with names the oldest
 * lose theirs; those without are one for each reason.
 */
export function mergeGaps(...lists: readonly (readonly Gap[])[]): Gap[] {
  const all = lists.flat();
  const names = new Set(all.map(nameOf).filter(Boolean));
  const kept = [...names].slice(-MAX_NAMED);
  const merged = new Map<string, Gap>();
  // Written out, since the server refuses a gap with any other field.
  for (const gap of all) {
    const { reason, events, from, to, run, seq } = gap;
    const name = nameOf(gap);
    const isNamed = kept.includes(name);
    const key = isNamed ? name : reason;
    const other = merged.get(key);
    merged.set(key, {
      reason,
      events: events + (other?.events ?? 0),
      from: Math.min(from, other?.from ?? from),
      to: Math.max(to, other?.to ?? to),
      ...(isNamed && { run, seq }),
    });
  }
  return [...merged.values()];
}

function nameOf({ reason, run, seq }: Gap): string {
  return run ? `${reason} ${run}/${seq}` : "";
}

/** A gap as the tab's next page finds it. */
export interface RememberedGap extends Gap {
  /** The upload that has to declare this or hold it, `run/seq`; without it the events had no number yet. */
  readonly id?: string;
}

/** Remembers for the tab's next page what this one could not send. */
export interface GapMemory {
  /** What the last page left; it is forgotten by this. */
  take(): RememberedGap[];
  /** Replaces what is remembered. */
  save(gaps: readonly RememberedGap[]): void;
}

/** Keeps gaps in the tab's session storage. */
export function createGapMemory(storage: SafeStorage): GapMemory {
  return {
    take() {
      const text = storage.get(StorageKey.lost);
      storage.remove(StorageKey.lost);
      return text === null ? [] : parseGaps(text);
    },
    save(gaps) {
      if (gaps.length > 0) storage.set(StorageKey.lost, JSON.stringify(gaps));
      else storage.remove(StorageKey.lost);
    },
  };
}

function parseGaps(text: string): RememberedGap[] {
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) ? list.filter((gap: Gap | null) => gap && gap.events > 0) : [];
  } catch {
    return [];
  }
}
