import { matches } from "../elements.ts";
import { listen, pathOf } from "./listen.ts";
import type { StreamContext } from "./stream.ts";
import { matchesUrl } from "./url-pattern.ts";

const MAX_TEXT_CHARS = 100;

/** As much of the Navigation API as is used. */
interface Navigation extends EventTarget {
  /** Null where the API tells nothing, as in a sandboxed frame. */
  readonly currentEntry: object | null;
}

/**
 * `navigation`: a clicked link, with `external` where it leads to another origin. `__page`: the page changed without a load;
 * `kind` is "push", "replace", "traverse" or "hash", `route` the path that a hash router keeps behind `#`. Where the browser has
 * no Navigation API, answers what is to be told of `pushState` and `replaceState`.
 */
export function captureNavigation(context: StreamContext): ((kind: "push" | "replace") => void) | null {
  const { config } = context;
  let current = location.href;

  function heedTriggers(): void {
    if (config.triggerUrls.some((pattern) => matchesUrl(location.href, pattern))) context.onTrigger("url");
  }

  function onMove(kind: string): void {
    const before = current;
    current = location.href;
    if (current === before) return;
    const [address, route] = pageOf(current);
    const [addressBefore, routeBefore] = pageOf(before);
    if (address !== addressBefore || route !== routeBefore) {
      context.onActivity();
      if (config.trackNavigation) {
        context.emit("__page", {
          url: context.cutUrl(current),
          referrer: context.cutUrl(before),
          kind: address === addressBefore ? "hash" : kind,
          // As a path, so that it is cut like one.
          route: route && context.cutUrl(location.origin + route).replace(location.origin, "#"),
        });
      }
    }
    heedTriggers();
  }

  function onClick(event: Event): void {
    const link = pathOf(event).find((element) => matches(element, "a[href]"));
    if (!link) return;
    const url = new URL(link.getAttribute("href")!, document.baseURI);
    const [address, hash] = url.href.split("#");
    const isOnPage = hash !== undefined && address === location.href.split("#")[0];
    if (isOnPage || url.protocol === "javascript:") return;
    context.emit("navigation", {
      // `mailto:` and `tel:` hold a person.
      url: url.protocol.startsWith("http") ? context.cutUrl(url.href) : url.protocol,
      text: context.textOf(link, MAX_TEXT_CHARS).trim() || undefined,
      external: url.origin !== location.origin || undefined,
    });
  }

  heedTriggers();
  if (config.trackNavigation) listen(window, "click", context, onClick);
  const { navigation } = window as { navigation?: Navigation };
  if (navigation?.currentEntry) {
    listen<Event & { navigationType: string | null }>(navigation, "currententrychange", context, (event) =>
      onMove(event.navigationType ?? "replace"),
    );
    return null;
  }
  for (const type of ["popstate", "hashchange"]) listen(window, type, context, () => onMove("traverse"));
  return onMove;
}

/** The address without query and hash, and the path behind `#` of a hash router. */
function pageOf(href: string): [address: string, route: string | undefined] {
  const [, address, route] = /^([^?#]*)[^#]*(?:#!?(\/[^?]*))?/.exec(href)!;
  return [address!, route];
}
