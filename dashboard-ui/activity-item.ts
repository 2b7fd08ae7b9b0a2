/** What a row tells of. `recorder` is about the recording itself, `resource` a file that could not be loaded. */
export type ActivityKind =
  | "page"
  | "click"
  | "input"
  | "scroll"
  | "resize"
  | "form"
  | "custom"
  | "error"
  | "resource"
  | "console"
  | "request"
  | "vital"
  | "recorder";

/** A word or two behind a row: a status, a level, a rating. */
export interface ActivityBadge {
  readonly text: string;
  readonly tone: "good" | "fair" | "bad" | "quiet";
}

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
  readonly badge: ActivityBadge | null;
  /** Everything else worth knowing, for a tooltip; may be empty. */
  readonly more: string;
  /** What the row opens: a stack, a payload. Made when it is asked for, at most 20,000 characters; null for nothing. */
  readonly body: (() => string) | null;
  /** Recorded node, 0 where none; rows of one node are joined. */
  readonly nodeId: number;
  /** What one click makes: the recorder's `click`, rrweb's `echo` of it, and a `link` on this site. They become one row. */
  readonly part: "click" | "echo" | "link" | null;
}

/** What a row may say beside its label. */
export type ActivityDetails = Partial<
  Pick<ActivityItem, "detail" | "badge" | "more" | "body" | "nodeId" | "part" | "endAt">
>;

const MAX_BODY_CHARS = 20_000;

/** A row; what is not given is empty. */
export function toItem(kind: ActivityKind, at: number, label: string, details: ActivityDetails = {}): ActivityItem {
  const { detail = "", badge = null, more = "", body = null, nodeId = 0, part = null, endAt = at } = details;
  const opened = body && (() => shorten(body(), MAX_BODY_CHARS));
  return { kind, at, endAt, label, detail, badge, more, body: opened, nodeId, part };
}

/** At most `max` characters. */
export function shorten(text: string, max: number): string {
  return text.length > max ? `${text.slice(0, max - 1)}…` : text;
}

/** A recorded text, at most `max` characters; empty where there is none. */
export function toText(value: unknown, max: number = 200): string {
  return typeof value === "string" ? shorten(value, max) : "";
}

/** A recorded number; null where there is none. */
export function toNumber(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

/** A recorded value as JSON; empty where it is none. */
export function toJson(value: unknown, indent: number = 0): string {
  try {
    return JSON.stringify(value, null, indent) ?? "";
  } catch {
    return "";
  }
}

/** The origin of a recorded address of the web; null where it is none. */
export function originOf(href: string): string | null {
  return parseUrl(href)?.origin ?? null;
}

/** A recorded address as people say it: its path, behind its host where that is not `origin`; null is any. */
export function toPlace(href: string, origin: string | null): string {
  const url = parseUrl(href);
  if (!url) return shorten(href, 200);
  return shorten((origin === null || url.origin === origin ? "" : url.host) + url.pathname + url.hash, 200);
}

function parseUrl(href: string): URL | null {
  try {
    const url = new URL(href);
    return /^https?:$/.test(url.protocol) ? url : null;
  } catch {
    return null;
  }
}
