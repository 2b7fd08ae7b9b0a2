import { watchFetch } from "./fetch-requests.ts";
import { createQuota } from "./quota.ts";
import { createHeaderFilter } from "./request-headers.ts";
import type { RequestDetails, RequestLog } from "./request-log.ts";
import type { StreamContext } from "./stream.ts";
import type { StreamParts } from "./stream-parts.ts";
import { watchXhr } from "./xhr-requests.ts";

const MAX_A_MINUTE = 200;

/**
 * `__request`: method, address, status, time and error of every fetch and XMLHttpRequest; headers and bodies of those whose
 * address is on the list. 200 a minute at most, the number of others in `dropped`.
 */
export function captureRequests(
  { config, signal, emit, cutUrl }: StreamContext,
  { matchesUrl, wrapMethod, toldFrom }: StreamParts,
): void {
  const rules = config.captureRequests;
  if (!rules) return;
  const ownUrl = withoutQuery(new URL(config.eventsUrl, document.baseURI).href);
  const quota = createQuota(MAX_A_MINUTE);
  const filters = {
    requestHeaders: createHeaderFilter(rules.requestHeaders),
    responseHeaders: createHeaderFilter(rules.responseHeaders),
  };
  const nothing: RequestDetails = {
    hasBodies: false,
    requestHeaders: createHeaderFilter([]),
    responseHeaders: createHeaderFilter([]),
  };

  const log: RequestLog = {
    detailsFor(url) {
      if (withoutQuery(url) === ownUrl) return null;
      const isListed = rules.urls.some((pattern) => matchesUrl(url, pattern));
      return isListed ? { hasBodies: rules.bodies, ...filters } : nothing;
    },
    record(outcome) {
      if (signal.aborted || !quota.take()) return;
      const { url, startedAt, durationMs } = outcome;
      emit("__request", { ...outcome, url: cutUrl(url), dropped: quota.takeDropped() }, startedAt + durationMs);
    },
  };
  const { fetch } = window;
  const { send } = XMLHttpRequest.prototype;
  watchFetch(log, signal, wrapMethod);
  watchXhr(log, signal, wrapMethod);
  // Earlier ones, and those of a page that has frozen its globals, only the browser tells of.
  if (window.fetch !== fetch) toldFrom.fetch = performance.now();
  if (XMLHttpRequest.prototype.send !== send) toldFrom.xmlhttprequest = performance.now();
}

function withoutQuery(url: string): string {
  return url.split(/[?#]/, 1)[0]!;
}
