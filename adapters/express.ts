import type { IncomingMessage, ServerResponse } from "node:http";
import type { Sentiero } from "../src/sentiero.ts";
import { toNodeHandler } from "./node.ts";

export { nodePlatform } from "./node-platform.ts";

/** A middleware of Express 4 and 5, and of all that speak their language. */
export type ExpressHandler = (request: IncomingMessage, response: ServerResponse, next: () => void) => void;

/**
 * Serves a sentiero in Express: what is under `basePath`; everything else goes on to `next`. `basePath` is the whole path,
 * also where it is mounted under a part of it.
 *
 * ```ts
 * const sentiero = createSentiero({ basicAuth: { user: "ada", password: "…" } });
 * app.use(toExpressHandler(sentiero));
 * app.use(express.json());
 * ```
 *
 * Before parsers of bodies is best: they have limits of their own (`express.json()` takes 100 kB), and a body has to be
 * made anew of what they have read.
 */
export function toExpressHandler(sentiero: Sentiero): ExpressHandler {
  return toNodeHandler(sentiero);
}
