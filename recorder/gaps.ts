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

/** Joins gaps so that there is at most one for each reason. */
export function mergeGaps(...lists: readonly (readonly Gap[])[]): Gap[] {
  const merged = new Map<string, Gap>();
  for (const gap of lists.flat()) {
    const other = merged.get(gap.reason);
    const { reason } = gap;
    merged.set(
      reason,
      other
        ? {
            reason,
            events: other.events + gap.events,
            from: Math.min(other.from, gap.from),
            to: Math.max(other.to, gap.to),
          }
        : gap,
    );
  }
  return [...merged.values()];
}

/** Remembers for the tab's next page what this one could not send. */
export interface GapMemory {
  /** What the last page left; it is forgotten by this. */
  take(): Gap[];
  /** Replaces what is remembered. */
  save(gaps: readonly Gap[]): void;
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

function parseGaps(text: string): Gap[] {
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) ? mergeGaps(list.filter((gap: Gap | null) => gap && gap.events > 0)) : [];
  } catch {
    return [];
  }
}
