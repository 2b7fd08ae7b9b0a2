import { gzip } from "./gzip.ts";
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
    async post(body) {
      const headers: Record<string, string> = { "Content-Type": "application/json" };
      if (typeof body !== "string") headers["Content-Encoding"] = "gzip";
      const limit = new AbortController();
      const timer = setTimeout(() => limit.abort(), ANSWER_WITHIN_MS);
      try {
        const response = await fetch(eventsUrl, { method: "POST", headers, body, signal: limit.signal });
        // Read to its end, or the browser counts the request as under way until the page is left.
        await response.text();
        return { status: response.status, retryAfter: response.headers.get("retry-after") };
      } finally {
        clearTimeout(timer);
      }
    },
    beacon(body) {
      try {
        // As text: the only kind of body that needs no preflight, which a leaving page can't wait for.
        return navigator.sendBeacon(eventsUrl, new Blob([body], { type: "text/plain" }));
      } catch {
        return false;
      }
    },
    compress: gzip,
  };
}
