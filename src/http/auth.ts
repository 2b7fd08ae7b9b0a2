import { HTTPError } from "../errors.ts";
import type { Platform } from "../platform.ts";
import { clientIp, type Connection } from "./connection.ts";

/** Asked for each request of the dashboard: anything true lets it pass, a `Response` is answered in its place. */
export type Authorize = (request: Request, client: Client) => unknown;

/** Who asks, beside what the request says itself. */
export interface Client {
  /** Address; null where neither the adapter nor a trusted proxy tells it. */
  readonly ip: string | null;
  /** What the framework knows of the request, such as `context.session`; undefined without an adapter. */
  readonly context: unknown;
}

/** Who may open the dashboard. `closed` is the default: nobody. */
export type Auth =
  | { readonly kind: "closed" }
  | { readonly kind: "open" }
  | { readonly kind: "basic"; readonly user: string; readonly password: string }
  | { readonly kind: "callback"; readonly authorize: Authorize };

interface CheckOptions {
  readonly platform: Platform;
  readonly trustProxy: boolean;
  readonly onError: (error: unknown) => void;
}

/**
 * Lets a request pass, answers in its place (a `Response` from `authorize`, such as a redirect to a sign-in page), or
 * throws: 401 with a challenge for Basic, 403 otherwise. Fails closed when `authorize` throws.
 */
export async function checkAuth(
  request: Request,
  auth: Auth,
  { platform, trustProxy, onError }: CheckOptions,
): Promise<Response | undefined> {
  switch (auth.kind) {
    case "open":
      return undefined;
    case "closed":
      throw new HTTPError(403, "the dashboard is closed: set `basicAuth` or `authorize`");
    case "basic":
      if (await isBasic(request, auth, platform)) return undefined;
      throw new HTTPError(401, "sign in", {
        headers: { "www-authenticate": 'Basic realm="Sentiero", charset="UTF-8"' },
      });
    case "callback": {
      let allowed: unknown = false;
      try {
        allowed = await auth.authorize(request, {
          ip: clientIp(request, { trustProxy }),
          context: (request as Connection).context,
        });
      } catch (error) {
        onError(error);
      }
      if (isResponse(allowed)) return allowed;
      if (allowed) return undefined;
      throw new HTTPError(403, "not allowed");
    }
  }
}

/** Also a Response of another library: as a mere object it would count as a yes. */
function isResponse(value: unknown): value is Response {
  return (
    value instanceof Response ||
    (typeof value === "object" &&
      value !== null &&
      "status" in value &&
      "headers" in value &&
      typeof value.status === "number")
  );
}

async function isBasic(
  request: Request,
  { user, password }: { user: string; password: string },
  platform: Platform,
): Promise<boolean> {
  const [scheme, encoded] = request.headers.get("authorization")?.trim().split(/\s+/) ?? [];
  if (scheme?.toLowerCase() !== "basic" || !encoded) return false;
  let given: string;
  try {
    given = new TextDecoder("utf-8", { fatal: true }).decode(
      Uint8Array.from(atob(encoded), (char) => char.charCodeAt(0)),
    );
  } catch {
    return false;
  }
  return isSameSecret(given, `${user}:${password}`, platform);
}

/** Compares two secrets by their digests: equal lengths, and every digit is looked at. */
async function isSameSecret(a: string, b: string, platform: Platform): Promise<boolean> {
  const [left, right] = [await platform.sha256(a), await platform.sha256(b)];
  let difference = 0;
  for (let index = 0; index < left.length; index++) difference |= left.charCodeAt(index) ^ right.charCodeAt(index);
  return difference === 0;
}
