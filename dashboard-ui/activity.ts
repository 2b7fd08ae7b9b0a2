import { EventType, IncrementalSource, MouseInteraction, eventData, isRecord, pageOf } from "../src/rrweb/events.ts";
import type { RecordedEvent } from "../src/types.ts";
import { shorten, toItem, toNumber, toText, type ActivityItem } from "./activity-item.ts";
import { isActiveTag, readCustomEvent } from "./custom-activity.ts";
import { joinClicks } from "./joined-clicks.ts";
import { createNodeNames, type NodeNames } from "./node-names.ts";
import { costOf, type RecorderCost } from "./recorder-cost.ts";
import { stretchesOf, type Mark, type TimeRange } from "./recording-stretches.ts";

/** What a part of a recording tells. */
export interface Activity {
  readonly items: readonly ActivityItem[];
  /** When the person was doing something: bursts no more than {@link IDLE_MS} apart inside. */
  readonly active: readonly TimeRange[];
  /** What the recording tells of itself. */
  readonly marks: readonly Mark[];
}

/** What a recording tells, out of its parts. */
export interface JoinedActivity {
  /** In order of time. */
  readonly items: readonly ActivityItem[];
  readonly active: readonly TimeRange[];
  /** When nothing was recorded. */
  readonly pauses: readonly TimeRange[];
  readonly cost: RecorderCost | null;
}

/** A person who did nothing for longer than this was idle. */
export const IDLE_MS = 5000;
/** Typing or scrolling that goes on within this time stays one row. */
const SAME_ROW_MS = 3000;

/**
 * What a person did in these events, which are in order. Hand in the same `names` for the parts of one recording, and
 * clicks in a later part can be named by the page of an earlier one.
 */
export function activityOf(events: readonly RecordedEvent[], names: NodeNames = createNodeNames()): Activity {
  const items: ActivityItem[] = [];
  const active: { from: number; to: number }[] = [];
  const marks: Mark[] = [];
  for (const event of events) {
    const at = event.timestamp;
    if (typeof at !== "number" || !Number.isFinite(at)) continue;
    names.read(event);
    addMark(marks, event, at);
    if (isActive(event)) {
      const span = active.at(-1);
      if (span && at - span.to <= IDLE_MS) span.to = Math.max(span.to, at);
      else active.push({ from: at, to: at });
    }
    for (const item of toItems(event, at, names)) addItem(items, item);
  }
  return { items, active, marks };
}

/** One activity out of those of a recording's parts, given in their order. */
export function joinActivity(parts: readonly Activity[]): JoinedActivity {
  const { items: told, pauses, costs } = stretchesOf(parts.flatMap((part) => part.marks));
  // Where times are the same, what recording says of itself and the page comes first.
  const sorted = [...told, ...parts.flatMap((part) => part.items)].sort((a, b) => a.at - b.at);
  const items: ActivityItem[] = [];
  for (const item of joinClicks(sorted)) addItem(items, item);
  const active: { from: number; to: number }[] = [];
  for (const { from, to } of parts.flatMap((part) => part.active).sort((a, b) => a.from - b.from)) {
    const last = active.at(-1);
    if (last && from - last.to <= IDLE_MS) last.to = Math.max(last.to, to);
    else active.push({ from, to });
  }
  return { items, active, pauses, cost: costOf(costs) };
}

/** Where nothing happened for more than {@link IDLE_MS} between `from` and `to`. `active` is in order and disjoint. */
export function idleGaps(active: readonly TimeRange[], from: number, to: number): TimeRange[] {
  const gaps: TimeRange[] = [];
  let end = from;
  for (const span of [...active, { from: to, to }]) {
    const start = Math.min(span.from, to);
    if (start - end > IDLE_MS) gaps.push({ from: end, to: start });
    end = Math.max(end, span.to);
  }
  return gaps;
}

/** Sources that come from a person's hand. Mutations go on by themselves. */
const TOUCH_MOVE = 6;
const MEDIA = 7;
const DRAG = 12;
const SELECTION = 14;
const activeSources = new Set<unknown>([
  IncrementalSource.MouseMove,
  IncrementalSource.MouseInteraction,
  IncrementalSource.Scroll,
  IncrementalSource.ViewportResize,
  IncrementalSource.Input,
  TOUCH_MOVE,
  MEDIA,
  DRAG,
  SELECTION,
]);

function isActive(event: RecordedEvent): boolean {
  const data = eventData(event);
  if (event.type === EventType.Incremental) return activeSources.has(data?.source);
  return event.type === EventType.Meta || (event.type === EventType.Custom && isActiveTag(data?.tag));
}

/** Told when the page is left, so they say nothing of what was done. */
const parting = new Set<unknown>(["__perf", "__network"]);

/** What a recording tells of when it was made. */
const STRETCH_MARKS = new Map<unknown, "start" | "pause" | "end">([
  ["__start", "start"],
  ["__pause", "pause"],
  ["__end", "end"],
]);

function addMark(marks: Mark[], event: RecordedEvent, at: number): void {
  const page = pageOf(event);
  if (page) {
    const more = page.width > 0 ? `${page.href}\nViewport ${page.width}×${page.height}` : page.href;
    marks.push({ type: "page", at, href: page.href, more });
    return;
  }
  const data = event.type === EventType.Custom ? eventData(event) : null;
  const payload = isRecord(data?.payload) ? data.payload : {};
  const stretchMark = STRETCH_MARKS.get(data?.tag);
  if (data?.tag === "__cost") marks.push({ type: "leave", at, payload });
  else if (stretchMark) marks.push({ type: stretchMark, at, reason: toText(payload.reason, 50) });
  else if (data?.tag === "__page" && typeof payload.url === "string")
    marks.push({ type: "move", at, href: payload.url });
  else if (!parting.has(data?.tag) && (data || event.type === EventType.Incremental)) {
    if (marks.at(-1)?.type === "other") marks.pop();
    marks.push({ type: "other", at });
  }
}

function toItems(event: RecordedEvent, at: number, names: NodeNames): readonly ActivityItem[] {
  const data = eventData(event);
  if (!data) return [];
  if (event.type === EventType.Custom)
    return data.tag === "__cost" || STRETCH_MARKS.has(data.tag) ? [] : readCustomEvent(data, at, names);
  const item = event.type === EventType.Incremental ? toDomItem(data, at, names) : null;
  return item ? [item] : [];
}

function toDomItem(data: Record<string, unknown>, at: number, names: NodeNames): ActivityItem | null {
  const nodeId = toNumber(data.id) ?? 0;
  switch (data.source) {
    case IncrementalSource.MouseInteraction:
      return toClick(data, at, names);
    case IncrementalSource.Input:
      return toInput(data, at, names);
    case IncrementalSource.Scroll:
      return toItem("scroll", at, "Scrolled", { detail: `to ${toPixels(data.y)} px`, nodeId });
    case IncrementalSource.ViewportResize:
      return toItem("resize", at, "Resized", { detail: `to ${toPixels(data.width)}×${toPixels(data.height)}` });
    default:
      return null;
  }
}

const clicks = new Map<unknown, string>([
  [MouseInteraction.Click, "Clicked"],
  [MouseInteraction.DoubleClick, "Double-clicked"],
  [MouseInteraction.ContextMenu, "Right-clicked"],
]);

function toClick(data: Record<string, unknown>, at: number, names: NodeNames): ActivityItem | null {
  const label = clicks.get(data.type);
  if (!label) return null;
  const place = `${toPixels(data.x)}, ${toPixels(data.y)}`;
  const name = names.nameOf(data.id);
  return toItem("click", at, label, {
    detail: name ? [name.role, name.text && `“${name.text}”`].filter(Boolean).join(" ") : `at ${place}`,
    more: `At ${place}`,
    nodeId: toNumber(data.id) ?? 0,
    part: data.type === MouseInteraction.Click ? "echo" : null,
  });
}

function toInput(data: Record<string, unknown>, at: number, names: NodeNames): ActivityItem | null {
  const name = names.nameOf(data.id);
  const where = name?.text ? `“${name.text}”` : "";
  const text = typeof data.text === "string" ? data.text : "";
  const nodeId = toNumber(data.id) ?? 0;
  const row = (label: string, detail: string) => toItem("input", at, label, { detail, nodeId });
  // rrweb sends `isChecked` with every input; only a box that can be ticked is ever true, or says "on" by itself.
  const isBox = name ? name.role === "checkbox" || name.role === "option" : data.isChecked === true || text === "on";
  if (isBox) {
    if (name?.role === "option") return data.isChecked === true ? row("Chose", where) : null;
    return row(data.isChecked === true ? "Ticked" : "Unticked", where || "a box");
  }
  if (text === "") return row("Cleared", where || "a field");
  const typed = /^\*+$/.test(text) ? `${count(text.length)}, masked` : shorten(text, 60);
  return row(name?.role === "list" ? "Selected" : "Typed", where ? `${typed} in ${where}` : typed);
}

function addItem(items: ActivityItem[], item: ActivityItem): void {
  const last = items.at(-1);
  const joins =
    last &&
    last.kind === item.kind &&
    (item.kind === "scroll" || item.kind === "input" || item.kind === "resize") &&
    last.nodeId === item.nodeId &&
    item.at - last.endAt <= SAME_ROW_MS;
  if (joins) items[items.length - 1] = { ...item, at: last.at, endAt: Math.max(item.endAt, last.endAt) };
  else items.push(item);
}

function toPixels(value: unknown): string {
  const pixels = toNumber(value);
  return pixels === null ? "?" : String(Math.round(pixels));
}

function count(length: number): string {
  return `${length} ${length === 1 ? "character" : "characters"}`;
}
