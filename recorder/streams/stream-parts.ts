import type { listen, unpatched } from "./listen.ts";
import type { matchesUrl } from "./url-pattern.ts";
import type { wrapMethod } from "./wrap.ts";

/**
 * Parts of the recorder's own file for the streams that are loaded on demand. They are handed in because an import would make
 * of them a file more to load at every start.
 */
export interface StreamParts {
  readonly listen: typeof listen;
  readonly matchesUrl: typeof matchesUrl;
  readonly unpatched: typeof unpatched;
  readonly wrapMethod: typeof wrapMethod;
  /** From when on the stream of requests tells of them, by the browser's word for what made them; ms since the page began. */
  readonly toldFrom: { fetch?: number; xmlhttprequest?: number };
}
