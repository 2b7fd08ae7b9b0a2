import type { Batch, BatchList, ErrorAnswer, SessionAnswer, SessionDetail, SessionList } from "../src/types.ts";
import { basePath } from "./routes.ts";

/** An answer that is not the one asked for. `message` is a sentence for a person; `status` is 0 where no answer came. */
export class ApiError extends Error {
  readonly status: number;
  /** What the server itself said, if anything. */
  readonly detail: string;

  constructor(status: number, message: string, detail: string = "", options: ErrorOptions = {}) {
    super(message, options);
    this.name = "ApiError";
    this.status = status;
    this.detail = detail;
  }
}

/** One page of sessions, newest first. */
export function fetchSessions(
  query: { readonly cursor?: string | null; readonly limit?: number },
  signal?: AbortSignal,
): Promise<SessionList> {
  const params = new URLSearchParams({ limit: String(query.limit ?? 25) });
  if (query.cursor) params.set("cursor", query.cursor);
  return fetchJson<SessionList>(`${apiPath}sessions?${params}`, signal ? { signal } : {});
}

/** One session with its windows; an `ApiError` of status 404 where there is none. */
export async function fetchSession(id: string, signal?: AbortSignal): Promise<SessionDetail> {
  const answer = await fetchJson<SessionAnswer>(
    `${apiPath}sessions/${encodeURIComponent(id)}`,
    signal ? { signal } : {},
  );
  return answer.session;
}

/** Deletes a session with everything stored for it. */
export async function deleteSession(id: string): Promise<void> {
  await request(`${apiPath}sessions/${encodeURIComponent(id)}`, { method: "DELETE" });
}

/** Address of a window, as `<sentiero-replay src>` wants it. */
export function windowSource(sessionId: string, windowId: string): string {
  return `${apiPath}sessions/${encodeURIComponent(sessionId)}/windows/${encodeURIComponent(windowId)}`;
}

/** The batches of a window in the order of replay. `source` is what {@link windowSource} gives. */
export function fetchBatches(source: string, signal: AbortSignal): Promise<BatchList> {
  return fetchJson<BatchList>(`${source}/batches`, { signal });
}

/** One batch as it was stored. */
export function fetchBatch(source: string, key: string, signal: AbortSignal): Promise<Batch> {
  return fetchJson<Batch>(`${source}/batches/${encodeURIComponent(key)}`, { signal });
}

/** A sentence for whatever was thrown. */
export function errorText(error: unknown): string {
  if (error instanceof ApiError) return error.message;
  return "Something went wrong in this page. Reload it; if that does not help, look at the browser's console.";
}

/** Whether a request was given up by us, which nobody has to hear about. */
export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}

/** Where the API is, with a slash at its end. */
export const apiPath: string = `${basePath}api/`;

/** Asks for JSON; sends `body` as JSON where one is given. Throws an {@link ApiError}, or what aborted it. */
export async function fetchJson<T>(path: string, init: RequestInit, body?: unknown): Promise<T> {
  const response = await request(path, body === undefined ? init : toPost(init, body));
  try {
    return (await response.json()) as T;
  } catch (cause) {
    if (isAbort(cause)) throw cause;
    throw new ApiError(response.status, "The server's answer could not be read. Try again.", "", { cause });
  }
}

function toPost(init: RequestInit, body: unknown): RequestInit {
  return { ...init, method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
}

async function request(path: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, {
      ...init,
      headers: { ...(init.headers as Record<string, string> | undefined), accept: "application/json" },
      credentials: "same-origin",
    });
  } catch (cause) {
    if (isAbort(cause)) throw cause;
    throw new ApiError(0, "The server can't be reached. Check that it runs and that you are online.", "", { cause });
  }
  if (response.ok) return response;
  const detail = await detailOf(response);
  throw new ApiError(response.status, statusText(response, detail), detail);
}

function statusText(response: Response, detail: string): string {
  switch (response.status) {
    case 400:
      return `The server did not understand this${detail ? `: ${detail}` : ""}.`;
    case 401:
    case 403:
      return "You are not signed in, or not allowed to see this. Sign in again, then reload.";
    case 404:
    case 410:
      return "This is not here any more. It was deleted, or it never existed.";
    case 409:
      return `This can't be done now${detail ? `: ${detail}` : ""}.`;
    case 429:
    case 503: {
      const seconds = Number(response.headers.get("retry-after"));
      return seconds > 0
        ? `The server is busy. Try again in ${seconds} s.`
        : "The server is busy. Try again in a moment.";
    }
    default:
      return `The server failed to answer (status ${response.status}). Try again; its log says more.`;
  }
}

async function detailOf(response: Response): Promise<string> {
  try {
    const { error } = (await response.json()) as ErrorAnswer;
    return typeof error === "string" ? error.slice(0, 300) : "";
  } catch {
    return "";
  }
}
