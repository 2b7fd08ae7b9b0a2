import { isRecord } from "../src/rrweb/events.ts";
import {
  shorten,
  toItem,
  toJson,
  toNumber,
  toPlace,
  toText,
  type ActivityBadge,
  type ActivityItem,
} from "./activity-item.ts";
import { formatBytes, formatNumberOf } from "./formats.ts";
import { isMasked, type NodeNames } from "./node-names.ts";

type Payload = Readonly<Record<string, unknown>>;
type Read = (payload: Payload, at: number, names: NodeNames) => ActivityItem | readonly ActivityItem[] | null;

/** A request that is told of so much later than it began is not believed. */
const MAX_REQUEST_MS = 3_600_000;

/** The recorder's own events by tag. Null: a row would not do them justice, so they are shown like any other event. */
const readers = new Map<string, Read>([
  ["__click", readClick],
  ["__page", readPage],
  ["navigation", readLink],
  ["__form_submit", readForm],
  ["error", readError],
  ["__console", readConsole],
  ["__network", readNetwork],
  ["__request", readRequest],
  ["__perf", readVital],
]);

/** These come by themselves, whether or not somebody sits before the page. */
const BACKGROUND = new Set<unknown>([
  "__start",
  "__pause",
  "__end",
  "__cost",
  "__perf",
  "__console",
  "__network",
  "__request",
]);

/** Whether a custom event says that the person did or met something. */
export function isActiveTag(tag: unknown): boolean {
  return !BACKGROUND.has(tag);
}

/** The rows of a custom event. Whatever it holds is hostile: a payload that is not as the recorder makes it is shown as it is. */
export function readCustomEvent(data: Payload, at: number, names: NodeNames): readonly ActivityItem[] {
  const { payload } = data;
  const tag = toText(data.tag, 100) || "custom event";
  const read = readers.get(tag);
  const rows = read && isRecord(payload) ? read(payload, at, names) : null;
  if (rows) return isList(rows) ? rows : [rows];
  const json = payload === undefined ? "" : toJson(payload);
  const isEmpty = json === "" || json === "{}";
  return [
    toItem("custom", at, tag, {
      detail: isEmpty ? "" : shorten(json, 200),
      body: isEmpty ? null : () => toJson(payload, 2),
    }),
  ];
}

function isList(rows: ActivityItem | readonly ActivityItem[]): rows is readonly ActivityItem[] {
  return Array.isArray(rows);
}

function readClick(payload: Payload, at: number, names: NodeNames): ActivityItem {
  const selector = toText(payload.selector);
  const given = toText(payload.name, 100) || names.nameOf(payload.nodeId)?.text || "";
  const name = isMasked(given) ? "" : given;
  const x = toNumber(payload.x);
  const y = toNumber(payload.y);
  const hasPlace = x !== null && y !== null;
  const by = payload.synthetic === true ? "by script" : hasPlace ? "" : "by keyboard";
  return toItem("click", at, "Clicked", {
    detail: name ? `“${name}”` : selector || toText(payload.tag, 50) || "an element",
    badge: by ? quiet(by) : null,
    more: lines(selector, hasPlace && `At ${Math.round(x)}, ${Math.round(y)} of the page`),
    nodeId: toNumber(payload.nodeId) ?? 0,
    part: "click",
  });
}

function readPage(payload: Payload, at: number, { origin }: NodeNames): ActivityItem | null {
  const url = toText(payload.url, 2000);
  if (!url) return null;
  const place = toPlace(url, origin);
  const route = toText(payload.route);
  const referrer = toText(payload.referrer, 2000);
  return toItem("page", at, payload.kind === "traverse" ? "Went back or on to" : "Went to", {
    detail: route && !place.endsWith(route) ? place + route : place,
    more: lines(url, referrer && `From ${referrer}`),
  });
}

function readLink(payload: Payload, at: number, { origin }: NodeNames): ActivityItem | null {
  const url = toText(payload.url, 2000);
  if (!url) return null;
  const text = toText(payload.text, 100);
  return toItem("page", at, payload.external === true ? "Link to another site" : "Link to", {
    detail: toPlace(url, origin),
    more: lines(text && `“${text}”`, url),
    part: payload.external === true ? null : "link",
  });
}

function readForm(payload: Payload, at: number, { origin }: NodeNames): ActivityItem {
  const name = toText(payload.name, 100) || toText(payload.id, 100);
  const action = toText(payload.action, 2000);
  return toItem("form", at, "Submitted", {
    detail: name ? `form “${name}”` : action ? `form to ${toPlace(action, origin)}` : "a form",
    more: lines(action && `To ${action}`, toText(payload.url, 2000)),
  });
}

function readError(payload: Payload, at: number, { origin }: NodeNames): ActivityItem {
  const message = toText(payload.message, 4000) || "Unknown error";
  const source = toText(payload.source, 2000);
  const count = toNumber(payload.count) ?? 0;
  const again = count > 0 ? `${formatNumberOf(count, "more time")}` : "";
  if (payload.kind === "resource") {
    const what = [toText(payload.tag, 50), source && toPlace(source, origin)].filter(Boolean).join(" ");
    return toItem("resource", at, "Not loaded", {
      detail: what || message,
      badge: again ? quiet(again) : null,
      more: lines(message, source),
      nodeId: toNumber(payload.nodeId) ?? 0,
    });
  }
  const line = toNumber(payload.lineno);
  const where = source && `${source}${line === null ? "" : `:${line}:${toNumber(payload.colno) ?? 0}`}`;
  const stack = toText(payload.stack, 10_000);
  const context = payload.context === undefined ? "" : toJson(payload.context, 2);
  const words = [payload.handled === true && "handled", payload.hydration === true && "hydration", again];
  const said = words.filter(Boolean).join(", ");
  const name = toText(payload.name, 100);
  const label = payload.type === "unhandledrejection" ? "Unhandled rejection" : "Error";
  const opened = lines(
    stack || lines(name && !message.startsWith(name) ? `${name}: ${message}` : message, where),
    context,
  );
  return toItem("error", at, label, {
    detail: shorten(message, 300),
    badge: said ? quiet(said) : null,
    more: lines(shorten(message, 1000), where),
    body: () => opened,
  });
}

function readConsole(payload: Payload, at: number): ActivityItem | null {
  const level = toText(payload.level, 20);
  if (!level || !Array.isArray(payload.args)) return null;
  const text = payload.args.map((arg) => (typeof arg === "string" ? arg : toJson(arg))).join(" ");
  const stack = toText(payload.stack, 5000);
  const dropped = toNumber(payload.dropped);
  return toItem("console", at, "Console", {
    detail: shorten(text, 200),
    badge: { text: level, tone: level === "error" ? "bad" : level === "warn" ? "fair" : "quiet" },
    more: dropped ? `${formatNumberOf(dropped, "line")} before it left out` : "",
    body: stack || text.length > 80 || text.includes("\n") ? () => lines(text, stack) : null,
  });
}

function readNetwork(payload: Payload, at: number, names: NodeNames): readonly ActivityItem[] | null {
  if (!Array.isArray(payload.requests)) return null;
  const rows = payload.requests.filter(isRecord).map((request) => toRequest(request, request.at, at, names));
  const others = isRecord(payload.others) ? Object.entries(payload.others) : [];
  const counts: string[] = [];
  let bytes = 0;
  for (const [type, totals] of others) {
    if (!isRecord(totals)) continue;
    counts.push(`${toNumber(totals.count) ?? 0} ${shorten(type, 30)}`);
    bytes += toNumber(totals.bytes) ?? 0;
  }
  if (counts.length > 0) {
    const detail = shorten(counts.join(", "), 200);
    rows.push(toItem("request", at, "Loaded", { detail, badge: bytes > 0 ? quiet(formatBytes(bytes)) : null }));
  }
  return rows;
}

function readRequest(payload: Payload, at: number, names: NodeNames): ActivityItem | null {
  return toText(payload.url) ? toRequest(payload, payload.startedAt, at, names) : null;
}

function toRequest(request: Payload, startedAt: unknown, toldAt: number, { origin }: NodeNames): ActivityItem {
  const began = toNumber(startedAt);
  const at = began !== null && began <= toldAt && toldAt - began < MAX_REQUEST_MS ? began : toldAt;
  const url = toText(request.url, 2000);
  const status = toNumber(request.status);
  const error = toText(request.error, 50);
  const durationMs = toNumber(request.durationMs);
  const tone =
    error || (status !== null && status >= 500) ? "bad" : status !== null && status >= 400 ? "fair" : "quiet";
  const outcome = [error || status, durationMs !== null && formatMs(durationMs)].filter(Boolean).join(" · ");
  const parts = (["requestHeaders", "requestBody", "responseHeaders", "responseBody"] as const).filter(
    (part) => request[part] !== undefined && toJson(request[part]) !== "{}",
  );
  return toItem("request", at, toText(request.method, 20) || toText(request.type, 20) || "Request", {
    detail: toPlace(url, origin),
    badge: outcome ? { text: outcome, tone } : null,
    more: url,
    body:
      parts.length === 0
        ? null
        : () => lines(...parts.map((part) => `${PARTS[part]}\n${toBody(request[part])}\n`)).trimEnd(),
  });
}

const PARTS = {
  requestHeaders: "Request headers",
  requestBody: "Request body",
  responseHeaders: "Response headers",
  responseBody: "Response body",
} as const;

function toBody(value: unknown): string {
  if (typeof value === "string") return value;
  return isRecord(value)
    ? lines(...Object.entries(value).map(([name, text]) => `${name}: ${toText(text, 2000)}`))
    : toJson(value, 2);
}

const METRICS = new Map([
  ["LCP", "Largest Contentful Paint"],
  ["CLS", "Cumulative Layout Shift"],
  ["INP", "Interaction to Next Paint"],
  ["FCP", "First Contentful Paint"],
  ["TTFB", "Time to First Byte"],
]);

const RATINGS = new Map<unknown, ActivityBadge>([
  ["good", { text: "good", tone: "good" }],
  ["needs-improvement", { text: "needs improvement", tone: "fair" }],
  ["poor", { text: "poor", tone: "bad" }],
]);

function readVital(payload: Payload, at: number): ActivityItem | null {
  const metric = toText(payload.metric, 20);
  const value = toNumber(payload.value);
  if (!metric || value === null) return null;
  return toItem("vital", at, metric, {
    // The one that has no unit.
    detail: metric === "CLS" ? String(Math.round(value * 1000) / 1000) : formatMs(value),
    badge: RATINGS.get(payload.rating) ?? null,
    more: lines(METRICS.get(metric), toText(payload.url, 2000)),
  });
}

function formatMs(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
}

function quiet(text: string): ActivityBadge {
  return { text, tone: "quiet" };
}

function lines(...parts: readonly (string | false | undefined)[]): string {
  return parts.filter(Boolean).join("\n");
}
