import { atEnd, listen, unpatched } from "./streams/listen.ts";
import { matchesUrl } from "./streams/url-pattern.ts";

/** Where the browser doesn't tell of moves. */
const LOOK_EVERY_MS = 1_000;

/** Which addresses are recorded; patterns as `matchesUrl` knows them. */
export interface UrlRules {
  readonly includeUrls: readonly string[];
  readonly excludeUrls: readonly string[];
}

/** Whether a page with this address is recorded: an excluded one never, and others where nothing or they are included. */
export function isRecordedUrl({ includeUrls, excludeUrls }: UrlRules, url: string): boolean {
  const matches = (pattern: string): boolean => matchesUrl(url, pattern);
  return !excludeUrls.some(matches) && (includeUrls.length === 0 || includeUrls.some(matches));
}

/**
 * Calls back at changes of the page's address until the signal, and gives a function that tells whether the address of this
 * moment is recorded. Without rules nothing is watched.
 */
export function watchUrlRules(rules: UrlRules, signal: AbortSignal, onMove: () => void): () => boolean {
  if (rules.includeUrls.length + rules.excludeUrls.length === 0) return () => true;
  const { navigation } = window as { navigation?: EventTarget & { readonly currentEntry: object | null } };
  if (navigation?.currentEntry) listen(navigation, "currententrychange", { signal }, onMove);
  else {
    for (const type of ["popstate", "hashchange"]) listen(window, type, { signal }, onMove);
    // While something is recorded, each event asks; this is for the way out of a page that is not.
    const timer = unpatched(window, "setInterval").call(window, onMove, LOOK_EVERY_MS);
    atEnd(signal, () => clearInterval(timer));
  }
  let url = "";
  let isRecorded = true;
  return () => {
    if (url !== location.href) {
      url = location.href;
      isRecorded = isRecordedUrl(rules, url);
    }
    return isRecorded;
  };
}
