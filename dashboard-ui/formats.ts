import type { SessionSummary } from "../src/types.ts";

const numbers = new Intl.NumberFormat("en");
const dates = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
const years = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });
const days = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
const times = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** `1,204`. */
export function formatCount(count: number): string {
  return numbers.format(count);
}

/** `1 click`, `3 clicks`. */
export function formatNumberOf(count: number, one: string, many: string = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

/** A length of time in words: `0 s`, `<1 s`, `42 s`, `3 min 10 s`, `1 h 5 min`, `2 d 4 h`. */
export function formatDuration(ms: number): string {
  if (ms > 0 && ms < SECOND) return "<1 s";
  const seconds = Math.max(0, Math.floor(ms / SECOND));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return pair(Math.floor(seconds / 60), "min", seconds % 60, "s");
  const minutes = Math.round(seconds / 60);
  if (minutes < 24 * 60) return pair(Math.floor(minutes / 60), "h", minutes % 60, "min");
  const hours = Math.round(minutes / 60);
  return pair(Math.floor(hours / 24), "d", hours % 24, "h");
}

/** A place in a replay: `0:07`, `12:30`, `1:02:03`. */
export function formatClock(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / SECOND));
  const tail = String(seconds % 60).padStart(2, "0");
  const minutes = Math.floor(seconds / 60);
  return minutes < 60
    ? `${minutes}:${tail}`
    : `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}:${tail}`;
}

/** How long ago, in words: `just now`, `4 min ago`, `2 h ago`, `yesterday`, `3 days ago`, then the date. */
export function formatAgo(at: number, now: number): string {
  const ago = now - at;
  if (ago < MINUTE) return "just now";
  if (ago < HOUR) return `${Math.floor(ago / MINUTE)} min ago`;
  if (ago < DAY) return `${Math.floor(ago / HOUR)} h ago`;
  if (ago < 2 * DAY) return "yesterday";
  if (ago < 7 * DAY) return `${Math.floor(ago / DAY)} days ago`;
  return years.format(at);
}

/** The viewer's local date and time: `21 Nov, 14:02`. */
export function formatDate(at: number): string {
  return dates.format(at);
}

/** The viewer's local time of day: `14:02:10`. */
export function formatTime(at: number): string {
  return times.format(at);
}

/** The date in UTC: `4 May 2026`. */
export function formatDay(at: number): string {
  return days.format(at);
}

/** The exact time, in UTC and as the viewer's clock shows it. */
export function formatExact(at: number): string {
  const utc = toIso(at)
    .replace("T", " ")
    .replace(/\.\d+Z$/, " UTC");
  return `${utc}\n${years.format(at)}, ${times.format(at)} your time`;
}

/** For `<time datetime>`. */
export function toIso(at: number): string {
  return Number.isFinite(at) && Math.abs(at) <= 8.64e15 ? new Date(at).toISOString() : "";
}

/** `840 B`, `12.4 kB`, `3.1 MB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const [value, unit] = bytes < 1e6 ? [bytes / 1e3, "kB"] : bytes < 1e9 ? [bytes / 1e6, "MB"] : [bytes / 1e9, "GB"];
  return `${value < 100 ? value.toFixed(1) : numbers.format(Math.round(value))} ${unit}`;
}

/** What a session was seen with: `Chrome on macOS`, `Firefox`; empty where it is not known. */
export function formatClient({ browser, os }: Pick<SessionSummary, "browser" | "os">): string {
  return [browser, os].filter((name) => name && name !== "Other").join(" on ");
}

/** The path of a recorded address, as text; the address itself where it is none. */
export function pathOf(url: string): string {
  const parsed = parse(url);
  return parsed ? decode(parsed.pathname) : url;
}

/** The host of a recorded address, or nothing. */
export function hostOf(url: string): string {
  return parse(url)?.host ?? "";
}

function pair(big: number, bigUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${big} ${bigUnit}` : `${big} ${bigUnit} ${small} ${smallUnit}`;
}

function parse(url: string): URL | null {
  try {
    const parsed = new URL(url);
    return /^https?:$/.test(parsed.protocol) ? parsed : null;
  } catch {
    return null;
  }
}

function decode(path: string): string {
  try {
    const text = decodeURI(path);
    // Characters that are not seen, or turn the direction, stay in their escaped form.
    return /[\p{C}\p{Z}]/u.test(text) ? path : text;
  } catch {
    return path;
  }
}
