import type { DayUsage } from "../src/types.ts";

const DAY_MS = 86_400_000;
const MIN_DAYS = 14;
const MAX_DAYS = 90;
/** Days without a session that are drawn after the last one; a store that sleeps longer ends where it fell asleep. */
const MAX_QUIET_DAYS = 30;

/**
 * The days of a chart, one after the other without gaps, to `today` (epoch ms, UTC): at least 14, at most 90. `days` are
 * those that have sessions, oldest first.
 */
export function toBars(days: readonly DayUsage[], today: number): readonly DayUsage[] {
  const [first, last] = [days[0], days.at(-1)];
  if (!first || !last) return [];
  const lastAt = Date.parse(last.day);
  const todayAt = Math.floor(today / DAY_MS) * DAY_MS;
  const isAsleep = todayAt - lastAt > MAX_QUIET_DAYS * DAY_MS;
  const endAt = isAsleep ? lastAt : Math.max(lastAt, todayAt);
  const wanted = (endAt - Date.parse(first.day)) / DAY_MS + 1;
  const count = Math.min(Math.max(wanted, MIN_DAYS), MAX_DAYS);
  const known = new Map(days.map((usage) => [usage.day, usage]));
  return Array.from({ length: count }, (_, index) => {
    const day = new Date(endAt - (count - 1 - index) * DAY_MS).toISOString().slice(0, 10);
    return known.get(day) ?? { day, sessions: 0, events: 0, batchBytes: 0, segmentBytes: 0, receivedBytes: 0 };
  });
}

/** The end of an axis for values up to `max`: 1, 2, 3, 4, 5, 6 or 8 with zeros behind it. */
export function niceEnd(max: number): number {
  if (!(max > 0)) return 1;
  const unit = 10 ** Math.floor(Math.log10(max));
  return ([1, 2, 3, 4, 5, 6, 8].find((step) => step * unit >= max) ?? 10) * unit;
}
