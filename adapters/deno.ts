import type { Sentiero } from "../src/sentiero.ts";
import { serve, type Next } from "./fetch.ts";
import { nodePlatform } from "./node-platform.ts";

export { nodePlatform } from "./node-platform.ts";

/** A handler of `Deno.serve`. With `next`, requests outside `basePath` go on to it. */
export type DenoHandler = (request: Request, info: DenoInfo, next?: Next) => Promise<Response>;

/** What Deno tells of a connection. */
export interface DenoInfo {
  /** Not for Unix sockets. */
  readonly remoteAddr: object;
}

/**
 * Serves a sentiero from `Deno.serve`, and gives it Deno's native zlib and crypto. A module that exports a sentiero as its
 * default runs under `deno serve` as it is; this one also knows the clients' addresses.
 *
 * ```ts
 * const sentiero = createSentiero({ basicAuth: { user: "ada", password: "…" } });
 * const handle = toDenoHandler(sentiero);
 * Deno.serve((request, info) => handle(request, info, myApp));
 * ```
 */
export function toDenoHandler(sentiero: Sentiero): DenoHandler {
  Object.assign(sentiero.platform, nodePlatform);
  return (request, { remoteAddr }, next) => {
    const ip = "hostname" in remoteAddr ? String(remoteAddr.hostname) : undefined;
    return serve(sentiero, request, { ip }, next);
  };
}
