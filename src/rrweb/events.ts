import type { RecordedEvent } from "../types.ts";

/** rrweb's event types that sentiero reads (https://github.com/rrweb-io/rrweb, packages/types). */
export const EventType = { FullSnapshot: 2, Incremental: 3, Meta: 4, Custom: 5 } as const;

/** rrweb's sources of incremental events. */
export const IncrementalSource = {
  Mutation: 0,
  MouseMove: 1,
  MouseInteraction: 2,
  Scroll: 3,
  ViewportResize: 4,
  Input: 5,
} as const;

/** rrweb's kinds of mouse interaction. */
export const MouseInteraction = {
  MouseUp: 0,
  MouseDown: 1,
  Click: 2,
  ContextMenu: 3,
  DoubleClick: 4,
  Focus: 5,
  Blur: 6,
  TouchStart: 7,
  TouchEnd: 9,
} as const;

/** Whether a value is an object with fields, and no list. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** `data` of an event as an object, or null. */
export function eventData({ data }: RecordedEvent): Record<string, unknown> | null {
  return isRecord(data) ? data : null;
}

/** The page that begins with this event, or null. rrweb sends a Meta event with every full snapshot. */
export function pageOf(event: RecordedEvent): { href: string; width: number; height: number } | null {
  const data = event.type === EventType.Meta ? eventData(event) : null;
  if (typeof data?.href !== "string") return null;
  return { href: data.href, width: toSize(data.width), height: toSize(data.height) };
}

function toSize(value: unknown): number {
  return typeof value === "number" && value > 0 && value < 1e6 ? Math.round(value) : 0;
}
