import * as v from "valibot";
import { isGzip, parseStoredBrotli } from "../../brotli-form.ts";
import { HTTPError } from "../../errors.ts";
import { acceptsEncoding } from "../../http/accept-encoding.ts";
import { AS_ENCODED, empty, json } from "../../http/responses.ts";
import type { Platform } from "../../platform.ts";
import { isId } from "../../rrweb/batch.ts";
import type { Sessions } from "../../sessions/sessions.ts";
import type { Cursor } from "../../storage/documents.ts";
import type { Batch, BatchList, SessionAnswer, SessionList } from "../../types.ts";
import { API_VERSION } from "./version.ts";

interface SessionsApiOptions {
  readonly platform: Platform;
  readonly onError: (error: unknown) => void;
}

/** `/sessions` of the API. `path` begins behind `/api/sessions`. */
export function createSessionsApi(
  sessions: Sessions,
  { platform, onError }: SessionsApiOptions,
): (request: Request, path: string, query: URLSearchParams) => Promise<Response> {
  async function list(query: URLSearchParams): Promise<Response> {
    const { limit, cursor } = parseQuery(query);
    const page = await sessions.list({ limit, after: cursor?.after, asOf: cursor?.asOf });
    const answer: SessionList = {
      apiVersion: API_VERSION,
      sessions: page.sessions,
      cursor: page.cursor && formatCursor(page.cursor, page.asOf),
      asOf: page.asOf,
      newer: page.newer,
    };
    return json(answer);
  }

  async function show(id: string): Promise<Response> {
    const session = await sessions.get(id);
    if (!session) throw notFound("session");
    const answer: SessionAnswer = { apiVersion: API_VERSION, session };
    return json(answer);
  }

  async function remove(id: string): Promise<Response> {
    if (!(await sessions.erase(id))) throw notFound("session");
    return empty(204, { "cache-control": "no-store" });
  }

  async function listBatches(id: string, windowId: string): Promise<Response> {
    const answer: BatchList = { apiVersion: API_VERSION, batches: await batchesOf(id, windowId) };
    return json(answer);
  }

  async function batchesOf(id: string, windowId: string): Promise<BatchList["batches"]> {
    const batches = await sessions.batches(id, windowId);
    if (!batches) throw notFound("window");
    return batches;
  }

  /** As stored where the client takes that: the browser inflates it. Chromium takes brotli on https and localhost only. */
  async function showBatch(request: Request, id: string, windowId: string, key: string): Promise<Response> {
    const stored = BATCH_KEY.test(key) ? await sessions.batch(id, windowId, key) : null;
    if (!stored) throw notFound("batch");
    const takesGzip = acceptsEncoding(request, "gzip");
    const brotli = parseStoredBrotli(stored);
    if (brotli && acceptsEncoding(request, "br")) return toBatchResponse(brotli.stream, "br");
    if (isGzip(stored) && takesGzip) return toBatchResponse(stored, "gzip");
    const bytes = await inflate(stored, key);
    return takesGzip ? toBatchResponse(await platform.gzip(bytes), "gzip") : toBatchResponse(bytes);
  }

  /** @throws Error when it can't be read: the store is at fault, not the client. */
  async function inflate(stored: Uint8Array, key: string): Promise<Uint8Array> {
    const bytes = await platform.inflate(stored, platform.maxInflatedBytes);
    if (typeof bytes === "string") throw new Error(`[sentiero] the batch ${key} can't be read: it is ${bytes}`);
    return bytes;
  }

  async function readEvents(id: string, windowId: string, key: string): Promise<Batch["events"]> {
    const stored = await sessions.batch(id, windowId, key);
    if (!stored) return [];
    return (JSON.parse(new TextDecoder().decode(await inflate(stored, key))) as Batch).events;
  }

  /** All events of a window as one array, batch by batch: no more than one batch is in memory. */
  async function showEvents(id: string, windowId: string): Promise<Response> {
    const batches = (await batchesOf(id, windowId)).filter(({ isConflict }) => !isConflict);
    const encoder = new TextEncoder();
    let index = 0;
    let isFirst = true;
    const stream = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(encoder.encode("[")),
      async pull(controller) {
        // A pull that enqueues nothing is not followed by another, so batches without events are passed over here.
        for (let batch = batches[index++]; batch; batch = batches[index++]) {
          const events = JSON.stringify(await readEvents(id, windowId, batch.key).catch(fail)).slice(1, -1);
          if (!events) continue;
          controller.enqueue(encoder.encode(isFirst ? events : `,${events}`));
          isFirst = false;
          return;
        }
        controller.enqueue(encoder.encode("]"));
        controller.close();
      },
    });
    return new Response(stream, { headers: PRIVATE });
  }

  /** The answer has begun, so that only its end being missing tells the client. */
  function fail(error: unknown): never {
    onError(error);
    throw error;
  }

  return async (request, path, query) => {
    const [id, windows, windowId, part, key, ...rest] = path === "" ? [] : path.slice(1).split("/");
    if (rest.length > 0) throw notFound("route");
    if (id !== undefined && !isId(id)) throw new HTTPError(400, "invalid session id");
    if (windowId !== undefined && !isId(windowId)) throw new HTTPError(400, "invalid window id");
    if (id !== undefined && windows === undefined && request.method === "DELETE") return remove(id);
    if (request.method !== "GET" && request.method !== "HEAD")
      throw methodNotAllowed(windows === undefined && id !== undefined ? "GET, HEAD, DELETE" : "GET, HEAD");
    if (id === undefined) return list(query);
    if (windows === undefined) return show(id);
    if (windows !== "windows" || windowId === undefined) throw notFound("route");
    if (part === "batches")
      return key === undefined ? listBatches(id, windowId) : showBatch(request, id, windowId, key);
    if (part === "events" && key === undefined) return showEvents(id, windowId);
    throw notFound("route");
  };
}

const PRIVATE = {
  "content-type": "application/json",
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
};

function toBatchResponse(bytes: Uint8Array, encoding?: "br" | "gzip"): Response {
  const headers = { ...PRIVATE, vary: "Accept-Encoding", ...(encoding && { "content-encoding": encoding }) };
  return new Response(bytes as BodyInit, { ...AS_ENCODED, headers });
}

const BATCH_KEY = /^(?:[0-9a-f]{24}-\d{1,5}|loose|segment)-[0-9a-f]{24}$/;

const QuerySchema = v.object({
  limit: v.optional(
    v.pipe(v.string(), v.regex(/^\d{1,3}$/), v.transform(Number), v.minValue(1), v.maxValue(100)),
    "25",
  ),
  cursor: v.optional(
    v.pipe(
      v.string(),
      v.transform(parseCursor),
      v.check((cursor) => cursor !== null),
    ),
  ),
});

/** A cursor is opaque to clients; it holds the time the list is as of, and the last item's place. */
interface ListCursor {
  readonly asOf: number;
  readonly after: Cursor;
}

function parseQuery(query: URLSearchParams): { limit: number; cursor: ListCursor | null | undefined } {
  const result = v.safeParse(QuerySchema, {
    limit: query.get("limit") ?? undefined,
    cursor: query.get("cursor") ?? undefined,
  });
  if (result.success) return { limit: result.output.limit, cursor: result.output.cursor };
  const name = v.getDotPath(result.issues[0]);
  throw new HTTPError(
    400,
    name === "limit" ? "limit must be 1 to 100" : "cursor is not valid: start again without one",
  );
}

function formatCursor({ score, id }: Cursor, asOf: number): string {
  return `${asOf.toString(36)}.${score.toString(36)}.${id}`;
}

function parseCursor(text: string): ListCursor | null {
  const match = /^([0-9a-z]{1,11})\.([0-9a-z]{1,11})\.([A-Za-z0-9_-]{1,128})$/.exec(text);
  if (!match) return null;
  const [asOf, score] = [Number.parseInt(match[1]!, 36), Number.parseInt(match[2]!, 36)];
  if (!Number.isSafeInteger(asOf) || !Number.isSafeInteger(score)) return null;
  return { asOf, after: { score, id: match[3]! } };
}

function methodNotAllowed(allow: string): HTTPError {
  return new HTTPError(405, "method not allowed", { headers: { allow } });
}

function notFound(what: string): HTTPError {
  return new HTTPError(404, `${what} not found`);
}
