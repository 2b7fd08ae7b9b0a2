import type { TimeRange } from "./recording-stretches.ts";

/** Turns times of a replay into places on its timeline and back. Places run from 0 to 1, times are ms. */
export interface TimeScale {
  toPlace(timeMs: number): number;
  toTime(place: number): number;
}

/** An idle gap takes this much of the timeline, however long it was, … */
const GAP_SHARE = 0.03;
/** … and all of them together at most this much. */
const GAPS_SHARE = 0.4;

/**
 * A timeline on which idle gaps are narrow, so that the time in which something happened gets the room. `gaps` are in
 * order, apart from each other, and within 0 and `durationMs`.
 */
export function createTimeScale(durationMs: number, gaps: readonly TimeRange[]): TimeScale {
  const share = Math.min(GAP_SHARE, gaps.length > 0 ? GAPS_SHARE / gaps.length : 0);
  const narrow = gaps.filter((gap) => (gap.to - gap.from) / durationMs > share);
  const narrowMs = narrow.reduce((sum, gap) => sum + gap.to - gap.from, 0);
  const activeMs = durationMs - narrowMs;
  const gapShare = activeMs > 0 ? share : 1 / Math.max(narrow.length, 1);
  const perMs = activeMs > 0 ? (1 - share * narrow.length) / activeMs : 0;

  // Corners of the piecewise straight line from time to place.
  const corners: { time: number; place: number }[] = [{ time: 0, place: 0 }];
  for (const gap of narrow) {
    const last = corners.at(-1)!;
    const place = last.place + (gap.from - last.time) * perMs;
    corners.push({ time: gap.from, place }, { time: gap.to, place: place + gapShare });
  }
  corners.push({ time: durationMs, place: 1 });

  return {
    toPlace: (timeMs) => (durationMs > 0 ? between(corners, timeMs, "time", "place") : 0),
    toTime: (place) => between(corners, place, "place", "time"),
  };
}

type Corner = Record<"time" | "place", number>;

function between(corners: readonly Corner[], value: number, from: keyof Corner, to: keyof Corner): number {
  const first = corners[0]!;
  if (value <= first[from]) return first[to];
  for (let index = 1; index < corners.length; index++) {
    const left = corners[index - 1]!;
    const right = corners[index]!;
    if (value > right[from]) continue;
    const width = right[from] - left[from];
    return width > 0 ? left[to] + ((value - left[from]) / width) * (right[to] - left[to]) : right[to];
  }
  return corners.at(-1)![to];
}
