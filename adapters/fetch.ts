import type { Connection } from "../src/http/connection.ts";
import type { Sentiero } from "../src/sentiero.ts";
import { isMounted } from "./mount.ts";

/** Answers what is not sentiero's. */
export type Next = (request: Request) => Response | Promise<Response>;

/** Hands a request of a runtime with Fetch handlers on, with what is known of it besides. */
export async function serve(
  sentiero: Sentiero,
  request: Request,
  connection: Connection,
  next: Next | undefined,
): Promise<Response> {
  if (next && !isMounted(sentiero, new URL(request.url).pathname)) return next(request);
  return sentiero.fetch(Object.assign(request, connection));
}
