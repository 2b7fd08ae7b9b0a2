import type { StreamContext } from "./stream.ts";
import type { StreamParts } from "./stream-parts.ts";

const MAX_REQUESTS = 20;
const MAX_WAIT_MS = 1_000;

interface Totals {
  count: number;
  bytes: number;
}

/**
 * `__network`: requests of the page's code as the browser tells of them, without wrapping anything: `requests` of `{ url,
 * type, at, durationMs, bytes, status }`, 20 an event at most, and `others`, count and bytes by what asked for them ("img",
 * "script", …). `bytes` is 0 and `status` left out where the other origin does not allow to know them. Requests that the
 * stream of requests tells of are left to that.
 */
export function captureNetwork(context: StreamContext, { toldFrom }: StreamParts): void {
  const ownUrl = withoutQuery(new URL(context.config.eventsUrl, document.baseURI).href);
  let requests: Record<string, unknown>[] = [];
  let others: Record<string, Totals> = {};
  let timer: ReturnType<typeof setTimeout> | undefined;

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    const hasOthers = Object.keys(others).length > 0;
    if (requests.length === 0 && !hasOthers) return;
    const payload = { requests, ...(hasOthers && { others }) };
    requests = [];
    others = {};
    if (!context.signal.aborted) context.emit("__network", payload);
  }

  function take(entries: PerformanceEntryList): void {
    for (const entry of entries as PerformanceResourceTiming[]) {
      const { name, initiatorType, startTime, duration, transferSize, responseStatus } = entry;
      if (withoutQuery(name) === ownUrl) continue;
      if (initiatorType === "fetch" || initiatorType === "xmlhttprequest") {
        if (startTime >= (toldFrom[initiatorType] ?? Infinity)) continue;
        requests.push({
          url: context.cutUrl(name),
          type: initiatorType === "fetch" ? "fetch" : "xhr",
          at: Math.round(performance.timeOrigin + startTime),
          durationMs: Math.round(duration),
          bytes: transferSize,
          status: responseStatus || undefined,
        });
        if (requests.length === MAX_REQUESTS) flush();
      } else {
        const totals = (others[initiatorType] ??= { count: 0, bytes: 0 });
        totals.count++;
        totals.bytes += transferSize;
      }
    }
    timer ??= setTimeout(flush, MAX_WAIT_MS);
  }

  if (!globalThis.PerformanceObserver?.supportedEntryTypes?.includes("resource")) return;
  const observer = new PerformanceObserver((list) => take(list.getEntries()));
  observer.observe({ type: "resource", buffered: true });
  context.signal.addEventListener("abort", () => observer.disconnect());
  context.onLeave(() => {
    take(observer.takeRecords());
    flush();
  });
}

function withoutQuery(url: string): string {
  return url.split(/[?#]/, 1)[0]!;
}
