import { EventType, IncrementalSource, MouseInteraction, eventData, pageOf } from "../src/rrweb/events.ts";
import type { RecordedEvent } from "../src/types.ts";
import { createNodeNames, type NodeNames } from "./node-names.ts";

export type ActivityKind = "page" | "click" | "input" | "scroll" | "resize" | "custom" | "error";

/** One thing a person did or met, as a row shows it. All text is recorded text: show it as text only. */
export interface ActivityItem {
  readonly kind: ActivityKind;
  /** Epoch ms; `endAt` is later where the row stands for several events. */
  readonly at: number;
  readonly endAt: number;
  /** What happened, in our words. */
  readonly label: string;
  /** To what, in the page's words; may be empty. */
  readonly detail: string;
  /** Everything else worth knowing, for a tooltip; may be empty. */
  readonly more: string;
  /** Recorded node, 0 where none; rows of one node are joined. */
  readonly nodeId: number;
}

/** A stretch of time, in epoch ms or ms of the replay. */
export interface TimeRange {
  readonly from: number;
  readonly to: number;
}

/** What a part of a recording tells. */
export interface Activity {
  readonly items: readonly ActivityItem[];
  /** When the person was doing something: bursts no more than {@link IDLE_MS} apart inside. */
  readonly active: readonly TimeRange[];
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
  for (const event of events) {
    const at = event.timestamp;
    if (typeof at !== "number" || !Number.isFinite(at)) continue;
    names.read(event);
    if (!isActive(event)) continue;
    const span = active.at(-1);
    if (span && at - span.to <= IDLE_MS) span.to = Math.max(span.to, at);
    else active.push({ from: at, to: at });
    const item = toItem(event, at, names);
    if (item) addItem(items, item);
  }
  return { items, active };
}

/** One activity out of those of a recording's parts, given in their order. */
export function joinActivity(parts: readonly Activity[]): Activity {
  const items: ActivityItem[] = [];
  for (const item of parts.flatMap((part) => part.items).sort((a, b) => a.at - b.at)) addItem(items, item);
  const active: { from: number; to: number }[] = [];
  for (const { from, to } of parts.flatMap((part) => part.active).sort((a, b) => a.from - b.from)) {
    const last = active.at(-1);
    if (last && from - last.to <= IDLE_MS) last.to = Math.max(last.to, to);
    else active.push({ from, to });
  }
  return { items, active };
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
  if (event.type === EventType.Incremental) return activeSources.has(eventData(event)?.source);
  return event.type === EventType.Meta || event.type === EventType.Custom;
}

function toItem(event: RecordedEvent, at: number, names: NodeNames): ActivityItem | null {
  const page = pageOf(event);
  if (page) {
    const more = page.width > 0 ? `${page.href}\nViewport ${page.width}×${page.height}` : page.href;
    return row("page", at, "Visited", pathAndHash(page.href), more);
  }
  const data = eventData(event);
  if (!data) return null;
  if (event.type === EventType.Custom) return toCustom(data, at);
  if (event.type !== EventType.Incremental) return null;
  switch (data.source) {
    case IncrementalSource.MouseInteraction:
      return toClick(data, at, names);
    case IncrementalSource.Input:
      return toInput(data, at, names);
    case IncrementalSource.Scroll:
      return row("scroll", at, "Scrolled", `to ${toPixels(data.y)} px`, "", toId(data.id));
    case IncrementalSource.ViewportResize:
      return row("resize", at, "Resized", `to ${toPixels(data.width)}×${toPixels(data.height)}`);
    default:
      return null;
  }
}

const clicks: Record<number, string> = {
  [MouseInteraction.Click]: "Clicked",
  [MouseInteraction.DoubleClick]: "Double-clicked",
  [MouseInteraction.ContextMenu]: "Right-clicked",
};

function toClick(data: Record<string, unknown>, at: number, names: NodeNames): ActivityItem | null {
  const label = typeof data.type === "number" ? clicks[data.type] : undefined;
  if (!label) return null;
  const place = `${toPixels(data.x)}, ${toPixels(data.y)}`;
  const name = names.nameOf(data.id);
  const detail = name ? [name.role, name.text && `“${name.text}”`].filter(Boolean).join(" ") : `at ${place}`;
  return row("click", at, label, detail, `At ${place}`, toId(data.id));
}

function toInput(data: Record<string, unknown>, at: number, names: NodeNames): ActivityItem | null {
  const name = names.nameOf(data.id);
  const where = name?.text ? `“${name.text}”` : "";
  const text = typeof data.text === "string" ? data.text : "";
  const id = toId(data.id);
  // rrweb sends `isChecked` with every input; only a box that can be ticked is ever true, or says "on" by itself.
  const isBox = name ? name.role === "checkbox" || name.role === "option" : data.isChecked === true || text === "on";
  if (isBox) {
    if (name?.role === "option") return data.isChecked === true ? row("input", at, "Chose", where, "", id) : null;
    return row("input", at, data.isChecked === true ? "Ticked" : "Unticked", where || "a box", "", id);
  }
  if (text === "") return row("input", at, "Cleared", where || "a field", "", id);
  const typed = /^\*+$/.test(text) ? `${count(text.length)}, masked` : short(text, 60);
  const label = name?.role === "list" ? "Selected" : "Typed";
  return row("input", at, label, where ? `${typed} in ${where}` : typed, "", id);
}

function toCustom(data: Record<string, unknown>, at: number): ActivityItem {
  const tag = typeof data.tag === "string" ? data.tag : "custom event";
  const payload =
    typeof data.payload === "object" && data.payload !== null ? (data.payload as Record<string, unknown>) : {};
  if (tag === "error") {
    const message = typeof payload.message === "string" ? payload.message : "Unknown error";
    const stack = typeof payload.stack === "string" ? `\n${payload.stack}` : "";
    return row("error", at, "Error", short(message, 200), short(message + stack, 2000));
  }
  if (tag === "navigation" && typeof payload.url === "string") {
    return row("page", at, "Went to", pathAndHash(payload.url), payload.url);
  }
  const json = data.payload === undefined ? "" : toJson(data.payload);
  return row("custom", at, short(tag, 100), json === "{}" ? "" : short(json, 200), short(json, 2000));
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

function row(kind: ActivityKind, at: number, label: string, detail: string, more = "", nodeId = 0): ActivityItem {
  return { kind, at, endAt: at, label, detail, more, nodeId };
}

function pathAndHash(href: string): string {
  try {
    const url = new URL(href);
    return /^https?:$/.test(url.protocol) ? short(url.pathname + url.hash, 200) : short(href, 200);
  } catch {
    return short(href, 200);
  }
}

function toPixels(value: unknown): string {
  return typeof value === "number" && Number.isFinite(value) ? String(Math.round(value)) : "?";
}

function toId(value: unknown): number {
  return typeof value === "number" ? value : 0;
}

function count(length: number): string {
  return `${length} ${length === 1 ? "character" : "characters"}`;
}

function short(text: string, max: number): string {
  return text.length > max ? `${text.slice(0, max - 1)}…` : text;
}

function toJson(value: unknown): string {
  try {
    return JSON.stringify(value) ?? "";
  } catch {
    return "";
  }
}
