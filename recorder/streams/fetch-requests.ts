import { isTextType, readStart, textOfBody } from "./request-body.ts";
import type { RequestDetails, RequestLog, RequestOutcome } from "./request-log.ts";
import type { wrapMethod as WrapMethod } from "./wrap.ts";

interface Started {
  readonly details: RequestDetails;
  readonly about: Pick<RequestOutcome, "type" | "method" | "url" | "startedAt" | "requestHeaders">;
  readonly startedMs: number;
  /** Never rejects. */
  readonly requestBody: Promise<string | undefined> | undefined;
}

/**
 * Watches `fetch`. What the page hands in is handed on as it is: no `Request` is made of it, which would use up its body. What it
 * gets is its own response; a body is read from a copy.
 */
export function watchFetch(log: RequestLog, signal: AbortSignal, wrapMethod: typeof WrapMethod): void {
  wrapMethod(window, "fetch", signal, (call, [input, init]) => {
    const started = quietly(() => describe(log, input, init as RequestInit | undefined));
    const answer = call() as Promise<Response>;
    if (!started || typeof answer?.then !== "function") return answer;
    // The page gets what `then` makes, because a handler on its own promise would make a rejection count as handled.
    return answer.then(
      (response) => {
        finish(log, started, response).catch(() => {
          // The page has its response; this request is not told.
        });
        return response;
      },
      (error: unknown) => {
        quietly(() => log.record({ ...outcomeOf(started), error: nameOf(error) }));
        throw error;
      },
    );
  });
}

function describe(log: RequestLog, input: unknown, init: RequestInit | undefined): Started | null {
  const request = input instanceof Request ? input : null;
  const url = new URL(request ? request.url : String(input), document.baseURI).href;
  const details = log.detailsFor(url);
  if (!details) return null;
  return {
    details,
    about: {
      type: "fetch",
      method: String(init?.method ?? request?.method ?? "GET").toUpperCase(),
      url,
      startedAt: Date.now(),
      requestHeaders: details.requestHeaders(listHeaders(init?.headers ?? request?.headers)),
    },
    startedMs: performance.now(),
    requestBody: details.hasBodies ? readRequest(request, init) : undefined,
  };
}

/** An iterator is left alone: it can be read once only, and that is for fetch. */
function listHeaders(headers: unknown): Iterable<readonly [string, string]> {
  if (headers instanceof Headers) return headers.entries();
  if (Array.isArray(headers)) return headers.map(([name, value]: unknown[]) => [String(name), String(value)]);
  if (typeof headers !== "object" || headers === null || Symbol.iterator in headers) return [];
  return Object.entries(headers).map(([name, value]) => [name, String(value)]);
}

function readRequest(request: Request | null, init: RequestInit | undefined): Promise<string | undefined> | undefined {
  const { body } = init ?? {};
  if (body !== undefined && body !== null) return Promise.resolve(textOfBody(body));
  if (!request?.body || request.bodyUsed || !isTextType(request.headers.get("content-type"))) return undefined;
  const copy = request.clone().body;
  return copy ? readStart(copy) : undefined;
}

async function finish(log: RequestLog, started: Started, response: Response): Promise<void> {
  const { details, requestBody } = started;
  const outcome = outcomeOf(started);
  // Taken before the page reads.
  const copy = details.hasBodies ? copyOf(response) : null;
  const responseHeaders = details.responseHeaders(response.headers.entries());
  log.record({
    ...outcome,
    status: response.status || undefined,
    responseHeaders,
    requestBody: await requestBody,
    responseBody: copy ? await readStart(copy) : undefined,
  });
}

/** Null where there is no text, or someone else reads already. */
function copyOf(response: Response): ReadableStream<Uint8Array> | null {
  const { body, bodyUsed, headers } = response;
  if (!body || body.locked || bodyUsed || !isTextType(headers.get("content-type"))) return null;
  return response.clone().body;
}

function outcomeOf({ about, startedMs }: Started): RequestOutcome {
  return { ...about, durationMs: Math.round(performance.now() - startedMs) };
}

function nameOf(error: unknown): string {
  const name: unknown = (error as Error | null | undefined)?.name;
  return typeof name === "string" ? name : "Error";
}

function quietly<T>(run: () => T): T | null {
  try {
    return run();
  } catch {
    return null;
  }
}
