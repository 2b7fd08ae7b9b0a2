import { isRecord } from "../src/rrweb/events.ts";
import { toNumber } from "./activity-item.ts";

/** What recording cost the pages of a tab, as far as they told. Times in ms. */
export interface RecorderCost {
  /** Pieces of work, and all their time together. */
  readonly pieces: number;
  readonly totalMs: number;
  readonly longestMs: number;
  readonly snapshots: number;
  readonly longestSnapshotMs: number;
}

/** One `__cost`; `isLoad` when a page was loaded since the one before. */
export interface CostReport {
  readonly payload: unknown;
  readonly isLoad: boolean;
}

/** Each report counts from its page's load, so only a page's last one counts. Null where nothing was told. */
export function costOf(reports: readonly CostReport[]): RecorderCost | null {
  let before: RecorderCost | null = null;
  let ofPages: RecorderCost | null = null;
  for (const { payload, isLoad } of reports) {
    const cost = parseCost(payload);
    if (!cost) continue;
    if (before && (isLoad || isLess(cost, before))) ofPages = sum(ofPages, before);
    before = cost;
  }
  return before && sum(ofPages, before);
}

function parseCost(payload: unknown): RecorderCost | null {
  if (!isRecord(payload)) return null;
  const read = (name: string): number => Math.max(0, toNumber(payload[name]) ?? 0);
  return {
    pieces: read("tasks"),
    totalMs: read("totalMs") + read("takeMs"),
    longestMs: read("longestMs"),
    snapshots: read("snapshots"),
    longestSnapshotMs: read("longestSnapshotMs"),
  };
}

function isLess(cost: RecorderCost, before: RecorderCost): boolean {
  return (Object.keys(cost) as (keyof RecorderCost)[]).some((name) => cost[name] < before[name]);
}

function sum(one: RecorderCost | null, other: RecorderCost): RecorderCost {
  if (!one) return other;
  return {
    pieces: one.pieces + other.pieces,
    totalMs: one.totalMs + other.totalMs,
    longestMs: Math.max(one.longestMs, other.longestMs),
    snapshots: one.snapshots + other.snapshots,
    longestSnapshotMs: Math.max(one.longestSnapshotMs, other.longestSnapshotMs),
  };
}
