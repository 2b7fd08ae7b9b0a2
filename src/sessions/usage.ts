import type { Cursor, DocumentStore } from "../storage/documents.ts";
import type { Updater } from "../storage/update.ts";
import type { DayUsage } from "../types.ts";

/** What sessions of each day take up, and what arrived today: folded in this process, so that no batch costs another put. */
export interface Usage {
  /** Counts for the day (UTC) of a time, mostly that of a session's first batch. */
  add(at: number, change: Partial<Omit<DayUsage, "day">>): void;
  /** Bytes that arrived on the day of a time: what other processes wrote down by the last fold, and ours. */
  receivedOn(at: number): number;
  /** Writes down what was counted since, and learns what other processes counted. */
  fold(): Promise<void>;
  /** Whether the last fold is some seconds ago and something was counted since. */
  isDue(): boolean;
  /** All days that have anything, oldest first, as of the last fold. */
  days(): Promise<DayUsage[]>;
  /** Replaces everything by what was counted anew. */
  reset(days: readonly DayUsage[]): Promise<void>;
}

interface UsageDocument extends DayUsage {
  readonly v: 1;
}

const EMPTY = { sessions: 0, events: 0, batchBytes: 0, segmentBytes: 0, receivedBytes: 0 } as const;
const DAYS_PER_PAGE = 200;

/** Often enough for a daily limit, seldom enough to cost nothing. */
const FOLD_MS = 5_000;

const DAY_MS = 86_400_000;

type Counter = keyof typeof EMPTY;
const COUNTERS = Object.keys(EMPTY) as Counter[];

/**
 * Counts in `<project>/usage`, a document a day. What a process counted since its last fold is lost when it is killed;
 * the numbers are for people and for the daily limit, `reindex` makes them exact.
 */
export function createUsage(
  documents: DocumentStore,
  update: Updater["update"],
  { project, clock }: { project: string; clock: () => number },
): Usage {
  const collection = `${project}/usage`;
  let pending = new Map<string, Record<Counter, number>>();
  /** Bytes of a day by all processes, as of the last fold. */
  const received = new Map<string, number>();
  /** What is being written down just now. */
  let writing = new Map<string, Record<Counter, number>>();
  let foldedAt = -Infinity;

  async function write(day: string, change: Readonly<Record<Counter, number>>): Promise<void> {
    const apply = (old: UsageDocument | null): UsageDocument => {
      const next: Record<string, number> = {};
      for (const name of COUNTERS) next[name] = Math.max(0, (old?.[name] ?? 0) + change[name]);
      return { v: 1, day, ...(next as Record<Counter, number>) };
    };
    const document = await update<UsageDocument>(collection, day, { apply }, () => Date.parse(day));
    received.set(day, document?.receivedBytes ?? 0);
  }

  function add(at: number, change: Partial<Omit<DayUsage, "day">>): void {
    const day = toDay(at);
    let counts = pending.get(day);
    if (!counts) pending.set(day, (counts = { ...EMPTY }));
    for (const name of COUNTERS) counts[name] += change[name] ?? 0;
  }

  return {
    add,
    receivedOn: (at) => {
      const day = toDay(at);
      const counted = [writing, pending].reduce((sum, counts) => sum + (counts.get(day)?.receivedBytes ?? 0), 0);
      return (received.get(day) ?? 0) + counted;
    },
    async fold() {
      if (writing.size > 0) return;
      writing = pending;
      pending = new Map();
      const counted = [...writing];
      foldedAt = clock();
      for (let index = 0; index < counted.length; index++) {
        try {
          await write(...counted[index]!);
          writing.delete(counted[index]![0]);
        } catch (error) {
          // Nothing is lost: it is written with the next fold.
          writing = new Map();
          for (const [day, change] of counted.slice(index)) add(Date.parse(day), change);
          throw error;
        }
      }
      // Yesterday's is not asked for again.
      for (const day of [...received.keys()].sort().slice(0, -1)) received.delete(day);
    },
    isDue: () => pending.size > 0 && Math.abs(clock() - foldedAt) >= FOLD_MS,
    days,
    async reset(counted) {
      pending = new Map();
      const all = new Map<string, DayUsage>((await days()).map(({ day }) => [day, { day, ...EMPTY }]));
      for (const one of counted) all.set(one.day, one);
      for (const one of all.values()) await replace(one);
    },
  };

  async function days(): Promise<DayUsage[]> {
    const found: DayUsage[] = [];
    let after: Cursor | null | undefined;
    do {
      const query = { limit: DAYS_PER_PAGE, order: "ascending", ...(after && { after }) } as const;
      const page = await documents.page<UsageDocument>(collection, query);
      for (const { doc } of page.items) {
        const { v: _, ...day } = doc;
        found.push(day);
      }
      after = page.cursor;
    } while (after);
    return found;
  }

  /** What arrived can't be counted anew: sessions that are gone have arrived too. */
  async function replace(day: DayUsage): Promise<void> {
    const apply = (old: UsageDocument | null): UsageDocument => ({
      v: 1,
      ...day,
      receivedBytes: old?.receivedBytes ?? day.receivedBytes,
    });
    await update<UsageDocument>(collection, day.day, { apply }, () => Date.parse(day.day));
  }
}

/** The day of a time, in UTC, as `2026-05-04`. */
export function toDay(at: number): string {
  const number = Math.floor(at / DAY_MS);
  if (number !== last.number) last = { number, day: new Date(at).toISOString().slice(0, 10) };
  return last.day;
}

/** Every batch asks for its day, mostly the same as the one before. */
let last = { number: NaN, day: "" };
