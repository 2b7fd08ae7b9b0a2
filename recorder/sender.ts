import { createCompressor } from "./compressor.ts";
import { setTimeout } from "./timers.ts";
import type { TransportOptions } from "./transport.ts";

/** A request without an answer for this long counts as failed. */
const ANSWER_WITHIN_MS = 60_000;

/** The parts of the transport that the browser gives. */
export type Sender = Pick<
  TransportOptions,
  "now" | "clock" | "random" | "setTimer" | "clearTimer" | "soon" | "post" | "beacon" | "compress"
>;

/** Sends to the events lane with the browser's own means. */
export function createSender(eventsUrl: string): Sender {
  function beacon(body: string | Uint8Array<ArrayBuffer>): boolean {
    try {
      return navigator.sendBeacon(eventsUrl, new Blob([body], { type: "text/plain" }));
    } catch {
      return false;
    }
  }

  return {
    now: () => Date.now(),
    clock: () => performance.now(),
    random: () => Math.random(),
    setTimer: (run, delayMs) => setTimeout(run, delayMs),
    clearTimer: (timer) => clearTimeout(timer as number),
    soon: (run) => {
      if (typeof requestIdleCallback === "function") requestIdleCallback(run, { timeout: 1_000 });
      else setTimeout(run, 200);
    },
    async post(body, isLeaving) {
      if (isLeaving && !("keepalive" in Request.prototype)) {
        // The next best: it can't be known what becomes of it.
        if (!beacon(body)) throw body;
        return { status: 200, retryAfter: null };
      }
      // Text needs no preflight, which a leaving page can't wait for; the server knows gzip by its first bytes.
      const headers: Record<string, string> = { "Content-Type": isLeaving ? "text/plain" : "application/json" };
      if (typeof body !== "string" && !isLeaving) headers["Content-Encoding"] = "gzip";
      const limit = new AbortController();
      const timer = setTimeout(() => limit.abort(), ANSWER_WITHIN_MS);
      try {
        const { signal } = limit;
        const response = await fetch(eventsUrl, {
          method: "POST",
          headers,
          body,
          signal,
          keepalive: isLeaving,
          // The page's whole address would stand in a header otherwise.
          referrerPolicy: "origin",
        });
        // Read to its end, or the browser counts the request as under way until the page is left.
        await response.text();
        return { status: response.status, retryAfter: response.headers.get("retry-after") };
      } finally {
        clearTimeout(timer);
      }
    },
    beacon,
    compress: createCompressor(() => new URL(__SENTIERO_COMPRESS_WORKER__, import.meta.url)),
  };
}
