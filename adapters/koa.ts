import type { IncomingMessage, ServerResponse } from "node:http";
import { finished } from "node:stream/promises";
import type { Sentiero } from "../src/sentiero.ts";
import { toNodeHandler } from "./node.ts";

export { nodePlatform } from "./node-platform.ts";

/** What is used of a context of Koa. */
export interface KoaContext {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly originalUrl: string;
  /** With a parser of bodies, what it made of the body. */
  readonly request: object;
  respond?: boolean;
}

/** A middleware of Koa 2 and 3. */
export type KoaMiddleware = (context: KoaContext, next: () => Promise<unknown>) => Promise<unknown>;

/**
 * Serves a sentiero in Koa: what is under `basePath`; everything else goes on to `next`. `basePath` is the whole path, also
 * where it is mounted under a part of it.
 *
 * ```ts
 * const sentiero = createSentiero({ basicAuth: { user: "ada", password: "…" } });
 * app.use(toKoaMiddleware(sentiero));
 * ```
 */
export function toKoaMiddleware(sentiero: Sentiero): KoaMiddleware {
  const handle = toNodeHandler(sentiero);
  return async (context, next) => {
    const { req, res, originalUrl, request } = context;
    // Where a node:http handler looks for them. What is not there is not set: others look for it too.
    const { body, rawBody } = request as { body?: unknown; rawBody?: unknown };
    Object.assign(req, { originalUrl }, body !== undefined && { body }, rawBody !== undefined && { rawBody });
    let isOurs = true;
    handle(req, res, () => (isOurs = false), context);
    if (!isOurs) return next();
    context.respond = false;
    // A middleware around this one learns when the answer is out; that the client went away is no failure.
    await finished(res).catch(() => {});
  };
}
