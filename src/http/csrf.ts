import { HTTPError } from "../errors.ts";
import { isOwnOrigin, type OriginPolicy } from "./origin.ts";

/**
 * Refuses a change that another site's page asks for with the viewer's credentials. A browser always sends `Origin`
 * with such a request; a program without one has no ambient credentials to abuse.
 */
export function checkSameOrigin(request: Request, policy: Pick<OriginPolicy, "publicUrl" | "trustProxy">): void {
  if (request.method === "GET" || request.method === "HEAD") return;
  const site = request.headers.get("sec-fetch-site");
  const isForeign = site
    ? site !== "same-origin" && site !== "none"
    : request.headers.has("origin") && !isOwnOrigin(request, policy);
  if (isForeign) throw new HTTPError(403, "cross-site request refused");
}
