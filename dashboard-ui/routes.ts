/**
 * Where sentiero is mounted, as a path that ends with a slash: the module lies in `<base>/assets/`, so no page has to
 * be told.
 */
export const basePath: string = new URL("..", import.meta.url).pathname;

/** A page of the dashboard, as its address names it. */
export type Route =
  | { readonly name: "sessions"; readonly cursor: string | null; readonly page: number }
  | {
      readonly name: "session";
      readonly sessionId: string;
      readonly windowId: string | null;
      /** Where the replay should stand: ms since the window's first event. */
      readonly timeMs: number | null;
    }
  | { readonly name: "maintenance" }
  | { readonly name: "unknown" };

/** Fired on `window` by {@link navigate}; going back and forward fires the browser's own `popstate`. */
export const NAVIGATE_EVENT = "sentiero-navigate";

/** What an address means; `unknown` for anything that is not a page of ours. */
export function parseRoute(url: URL, base: string = basePath): Route {
  const rest = url.pathname.startsWith(base)
    ? url.pathname.slice(base.length)
    : url.pathname === base.slice(0, -1)
      ? ""
      : null;
  if (rest === null) return { name: "unknown" };
  const parts = rest.split("/").filter(Boolean).map(toText);
  if (parts.length === 0 || (parts.length === 1 && parts[0] === "sessions")) {
    return {
      name: "sessions",
      cursor: url.searchParams.get("cursor") || null,
      page: toPage(url.searchParams.get("page")),
    };
  }
  if (parts.length === 1 && parts[0] === "maintenance") return { name: "maintenance" };
  const [first, sessionId, second, windowId] = parts;
  if (first !== "sessions" || !sessionId) return { name: "unknown" };
  const timeMs = toTime(url.searchParams.get("t"));
  if (parts.length === 2) return { name: "session", sessionId, windowId: null, timeMs };
  if (parts.length === 4 && second === "windows" && windowId) return { name: "session", sessionId, windowId, timeMs };
  return { name: "unknown" };
}

/** Address of the session list, or of a later page of it. */
export function sessionsPath(cursor: string | null = null, page: number = 1): string {
  return cursor ? `${basePath}?${new URLSearchParams({ cursor, page: String(page) })}` : basePath;
}

/** Address of a session, of one of its windows, or of a moment in it. */
export function sessionPath(sessionId: string, windowId: string | null = null, timeMs: number | null = null): string {
  let path = `${basePath}sessions/${encodeURIComponent(sessionId)}`;
  if (windowId) path += `/windows/${encodeURIComponent(windowId)}`;
  return timeMs === null ? path : `${path}?t=${Math.round(timeMs)}`;
}

/** Address of the maintenance page. */
export function maintenancePath(): string {
  return `${basePath}maintenance`;
}

/** Goes to an address without loading the page anew. `state` comes back as `history.state`. */
export function navigate(path: string, options: { readonly replace?: boolean; readonly state?: unknown } = {}): void {
  if (options.replace) history.replaceState(options.state ?? null, "", path);
  else history.pushState(options.state ?? null, "", path);
  window.dispatchEvent(new Event(NAVIGATE_EVENT));
}

function toText(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function toPage(value: string | null): number {
  const page = Number(value);
  return Number.isInteger(page) && page > 1 ? page : 1;
}

function toTime(value: string | null): number | null {
  const time = value === null || value === "" ? Number.NaN : Number(value);
  return Number.isFinite(time) && time >= 0 ? time : null;
}
