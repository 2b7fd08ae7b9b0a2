import type { Sentiero } from "../src/sentiero.ts";
import { serve, type Next } from "./fetch.ts";
import { nodePlatform } from "./node-platform.ts";

export { nodePlatform } from "./node-platform.ts";

/** A handler of `Bun.serve`. With `next`, requests outside `basePath` go on to it. */
export type BunHandler = (request: Request, server: BunServer, next?: Next) => Promise<Response>;

/** What is used of Bun's server. */
export interface BunServer {
  requestIP(request: Request): { readonly address: string } | null;
}

/**
 * Serves a sentiero from `Bun.serve`, and gives it Bun's native zlib and crypto. A module that exports a sentiero as its
 * default runs under `bun` as it is; this one also knows the clients' addresses.
 *
 * ```ts
 * const sentiero = createSentiero({ basicAuth: { user: "ada", password: "…" } });
 * const handle = toBunHandler(sentiero);
 * Bun.serve({ port: 3000, fetch: (request, server) => handle(request, server, myApp) });
 * ```
 */
export function toBunHandler(sentiero: Sentiero): BunHandler {
  Object.assign(sentiero.platform, nodePlatform);
  return (request, server, next) => serve(sentiero, request, { ip: server.requestIP(request)?.address }, next);
}
