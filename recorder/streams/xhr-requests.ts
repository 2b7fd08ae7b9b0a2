import { isTextType, textOfBody } from "./request-body.ts";
import type { RequestDetails, RequestLog } from "./request-log.ts";
import type { wrapMethod as WrapMethod } from "./wrap.ts";

interface Opened {
  readonly details: RequestDetails;
  readonly method: string;
  readonly url: string;
  readonly headers: [string, string][];
  startedAt: number;
  startedMs: number;
  requestBody?: string;
  error?: string;
}

const ERRORS = { abort: "AbortError", error: "NetworkError", timeout: "TimeoutError" } as const;

/** Watches XMLHttpRequest; nothing that the page's own handlers see is changed. */
export function watchXhr(log: RequestLog, signal: AbortSignal, wrapMethod: typeof WrapMethod): void {
  const { prototype } = XMLHttpRequest;
  const opened = new WeakMap<XMLHttpRequest, Opened>();

  function end(xhr: XMLHttpRequest, request: Opened): void {
    const { details, method, url, headers, startedAt, startedMs, requestBody, error } = request;
    log.record({
      type: "xhr",
      method,
      url,
      startedAt,
      durationMs: Math.round(performance.now() - startedMs),
      status: xhr.status || undefined,
      error,
      requestHeaders: details.requestHeaders(headers),
      responseHeaders: details.responseHeaders(parseHeaders(xhr.getAllResponseHeaders())),
      requestBody,
      responseBody: details.hasBodies ? responseOf(xhr) : undefined,
    });
  }

  wrapMethod(prototype, "open", signal, (call, [method, url], self) => {
    const result = call();
    quietly(() => {
      const xhr = self as XMLHttpRequest;
      const href = new URL(String(url), document.baseURI).href;
      const details = log.detailsFor(href);
      if (!details) return opened.delete(xhr);
      const name = String(method).toUpperCase();
      return opened.set(xhr, { details, method: name, url: href, headers: [], startedAt: 0, startedMs: 0 });
    });
    return result;
  });

  wrapMethod(prototype, "setRequestHeader", signal, (call, [name, value], self) => {
    const result = call();
    quietly(() => opened.get(self as XMLHttpRequest)?.headers.push([String(name), String(value)]));
    return result;
  });

  wrapMethod(prototype, "send", signal, (call, [body], self) => {
    const xhr = self as XMLHttpRequest;
    const request = opened.get(xhr);
    if (!request) return call();
    quietly(() => {
      request.startedAt = Date.now();
      request.startedMs = performance.now();
      if (request.details.hasBodies) request.requestBody = textOfBody(body);
      for (const type of ["abort", "error", "timeout"] as const) {
        xhr.addEventListener(type, () => void (request.error = ERRORS[type]), { once: true });
      }
      xhr.addEventListener("loadend", () => quietly(() => end(xhr, request)), { once: true });
    });
    try {
      return call();
    } catch (error) {
      // A synchronous request tells of a failure in this way only.
      request.error = "NetworkError";
      quietly(() => end(xhr, request));
      throw error;
    }
  });
}

/** All headers at once: asking for one that the other origin does not expose writes an error to the page's console. */
function parseHeaders(text: string): [string, string][] {
  return text
    .split("\r\n")
    .map((line): [string, string] => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim()]);
}

function responseOf(xhr: XMLHttpRequest): string | undefined {
  if (!isTextType(xhr.getResponseHeader("content-type"))) return undefined;
  if (xhr.responseType === "" || xhr.responseType === "text") return textOfBody(xhr.responseText) || undefined;
  return xhr.responseType === "json" ? textOfBody(JSON.stringify(xhr.response)) : undefined;
}

function quietly(run: () => unknown): void {
  try {
    run();
  } catch {
    // The page's request goes on.
  }
}
